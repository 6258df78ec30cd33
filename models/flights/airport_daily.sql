with departures as (
    select
        origin as airport,
        max(origin_name) as airport_name,
        count(*) as flights,
        count(*) filter (where not is_cancelled) as departed,
        count(*) filter (where is_cancelled) as cancelled,
        count(*) filter (where is_diverted) as diverted,
        count(*) filter (where is_late_departure) as late_departures,
        coalesce(cast(sum(departure_delay_minutes) as bigint), 0) as departure_delay_minutes,
        max(departure_delay_minutes) as longest_departure_delay_minutes,
        coalesce(cast(sum(plane_seats) filter (where not is_cancelled) as bigint), 0) as seats_flown,
        count(distinct carrier) as carriers,
        count(distinct dest) as destinations
    from {{ ref('flights_flat') }} as flights
    group by origin
),

observations as (
    select
        origin as airport,
        count(*) as weather_hours,
        min(temp) as coldest_f,
        max(temp) as warmest_f,
        cast(sum(precip) as decimal(6, 2)) as precipitation_inches,
        min(visib) as lowest_visibility_miles,
        max(wind_gust) as strongest_gust_mph
    from {{ source('erp', 'weather') }} as weather
    group by origin
)

select
    departures.airport,
    departures.airport_name,

    departures.flights,
    departures.departed,
    departures.cancelled,
    departures.diverted,
    departures.late_departures,
    departures.seats_flown,
    departures.carriers,
    departures.destinations,

    departures.departure_delay_minutes,
    departures.longest_departure_delay_minutes,
    cast(departures.departure_delay_minutes as double)
    / nullif(departures.departed, 0) as mean_departure_delay_minutes,
    cast(departures.late_departures as double) / nullif(departures.departed, 0) as late_departure_share,

    coalesce(observations.weather_hours, 0) as weather_hours,
    observations.coldest_f,
    observations.warmest_f,
    observations.precipitation_inches,
    observations.lowest_visibility_miles,
    observations.strongest_gust_mph
from departures
left join observations
    on departures.airport = observations.airport
