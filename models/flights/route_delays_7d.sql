with routes as (
    select
        origin,
        dest,
        max(dest_name) as dest_name,
        max(distance_miles) as distance_miles,
        count(distinct ds) as days_flown,
        count(distinct carrier) as carriers,
        count(*) as flights,
        count(*) filter (where is_cancelled) as cancelled,
        count(arrival_delay_minutes) as arrived,
        count(*) filter (where is_late_arrival) as late_arrivals,
        cast(sum(arrival_delay_minutes) as bigint) as arrival_delay_minutes,
        max(arrival_delay_minutes) as longest_arrival_delay_minutes
    from {{ slice('flights_flat', range=7) }} as week
    group by
        origin,
        dest
),

measured as (
    select
        origin,
        dest,
        dest_name,
        distance_miles,
        days_flown,
        carriers,
        flights,
        cancelled,
        arrived,
        late_arrivals,
        longest_arrival_delay_minutes,
        cast(late_arrivals as double) / nullif(arrived, 0) as late_arrival_share,
        cast(arrival_delay_minutes as double) / nullif(arrived, 0) as mean_arrival_delay_minutes
    from routes
)

select
    origin,
    dest,
    dest_name,
    distance_miles,
    days_flown,
    carriers,
    flights,
    cancelled,
    arrived,
    late_arrivals,
    longest_arrival_delay_minutes,
    late_arrival_share,
    mean_arrival_delay_minutes,
    rank() over (order by mean_arrival_delay_minutes desc nulls last) as delay_rank
from measured
