with history as (
    select
        carrier,
        first_flight_date,
        last_flight_date,
        days_flown,
        flights,
        cancelled,
        arrived,
        late_arrivals,
        arrival_delay_minutes,
        distance_miles
    from {{ slice(this, -1) }} as earlier
),

today as (
    select
        carrier,
        min(flight_date) as flight_date,
        count(*) as flights,
        count(*) filter (where is_cancelled) as cancelled,
        count(arrival_delay_minutes) as arrived,
        count(*) filter (where is_late_arrival) as late_arrivals,
        coalesce(cast(sum(arrival_delay_minutes) as bigint), 0) as arrival_delay_minutes,
        coalesce(cast(sum(distance_miles) filter (where not is_cancelled) as bigint), 0) as distance_miles
    from {{ ref('flights_flat') }} as flights
    group by carrier
),

totals as (
    select
        coalesce(history.carrier, today.carrier) as carrier,
        coalesce(history.first_flight_date, today.flight_date) as first_flight_date,
        coalesce(today.flight_date, history.last_flight_date) as last_flight_date,
        coalesce(history.days_flown, 0) + case when today.carrier is null then 0 else 1 end as days_flown,
        coalesce(history.flights, 0) + coalesce(today.flights, 0) as flights,
        coalesce(history.cancelled, 0) + coalesce(today.cancelled, 0) as cancelled,
        coalesce(history.arrived, 0) + coalesce(today.arrived, 0) as arrived,
        coalesce(history.late_arrivals, 0) + coalesce(today.late_arrivals, 0) as late_arrivals,
        coalesce(history.arrival_delay_minutes, 0)
        + coalesce(today.arrival_delay_minutes, 0) as arrival_delay_minutes,
        coalesce(history.distance_miles, 0) + coalesce(today.distance_miles, 0) as distance_miles,
        coalesce(today.flights, 0) as flights_of_day
    from history
    full outer join today
        on history.carrier = today.carrier
)

select
    totals.carrier,
    airlines.name as carrier_name,
    coalesce(kinds.kind, 'unknown') as carrier_kind,
    totals.first_flight_date,
    totals.last_flight_date,
    totals.days_flown,
    totals.flights_of_day,
    totals.flights,
    totals.cancelled,
    totals.arrived,
    totals.late_arrivals,
    totals.arrival_delay_minutes,
    totals.distance_miles,
    cast(totals.cancelled as double) / totals.flights as cancelled_share,
    cast(totals.late_arrivals as double) / nullif(totals.arrived, 0) as late_arrival_share,
    cast(totals.arrival_delay_minutes as double) / nullif(totals.arrived, 0) as mean_arrival_delay_minutes
from totals
left join {{ source('erp', 'airlines') }} as airlines
    on totals.carrier = airlines.carrier
left join {{ ref('carrier_kinds') }} as kinds
    on totals.carrier = kinds.carrier
