with today as (
    select
        cast('{{ ds() }}' as date) as metric_date,
        count(*) as flights,
        count(*) filter (where is_cancelled) as cancelled,
        count(*) filter (where is_diverted) as diverted,
        count(arrival_delay_minutes) as arrived,
        count(*) filter (where is_late_arrival) as late_arrivals,
        coalesce(cast(sum(plane_seats) filter (where not is_cancelled) as bigint), 0) as seats_flown,
        coalesce(cast(sum(distance_miles) filter (where not is_cancelled) as bigint), 0) as distance_miles,
        count(distinct carrier) as carriers,
        count(distinct dest) as destinations
    from {{ ref('flights_flat') }} as flights
),

days as (
    select
        metric_date,
        flights,
        cancelled,
        diverted,
        arrived,
        late_arrivals,
        seats_flown,
        distance_miles,
        carriers,
        destinations
    from {{ slice(this, -1) }} as earlier
    union all
    select
        metric_date,
        flights,
        cancelled,
        diverted,
        arrived,
        late_arrivals,
        seats_flown,
        distance_miles,
        carriers,
        destinations
    from today
)

select
    metric_date,
    flights,
    cancelled,
    diverted,
    arrived,
    late_arrivals,
    seats_flown,
    distance_miles,
    carriers,
    destinations,
    cast(late_arrivals as double) / nullif(arrived, 0) as late_arrival_share,
    cast(
        sum(late_arrivals) over (
            order by metric_date
            rows between 6 preceding and current row
        ) as double
    ) / nullif(
        sum(arrived) over (
            order by metric_date
            rows between 6 preceding and current row
        ), 0
    ) as late_arrival_share_7d,
    lag(flights, 7) over (order by metric_date) as flights_week_before,
    cast(sum(flights) over (order by metric_date) as bigint) as flights_to_date,
    cast(sum(distance_miles) over (order by metric_date) as bigint) as distance_miles_to_date
from days
