select
    flights.flight_id,
    flights.flight_date,

    flights.carrier,
    airlines.name as carrier_name,
    flights.flight as flight_number,

    flights.tailnum,
    planes.manufacturer as plane_manufacturer,
    planes.model as plane_model,
    planes.year as plane_year,
    planes.seats as plane_seats,

    flights.origin,
    origins.name as origin_name,
    flights.dest,
    destinations.name as dest_name,
    destinations.tzone as dest_time_zone,
    flights.distance as distance_miles,

    cast(flights.flight_date as timestamp)
    + interval '1' minute * (flights.hour * 60 + flights.minute) as scheduled_departure_at,
    cast(flights.flight_date as timestamp)
    + interval '1' minute * (flights.hour * 60 + flights.minute + flights.dep_delay) as departed_at,
    flights.dep_delay as departure_delay_minutes,
    flights.arr_delay as arrival_delay_minutes,
    flights.air_time as air_time_minutes,
    flights.dep_time is null as is_cancelled,
    flights.dep_time is not null and flights.arr_delay is null as is_diverted,
    coalesce(flights.dep_delay >= 15, false) as is_late_departure,
    coalesce(flights.arr_delay >= 15, false) as is_late_arrival,

    weather.temp as temperature_f,
    weather.precip as precipitation_inches,
    weather.visib as visibility_miles,
    weather.wind_speed as wind_speed_mph,
    weather.wind_gust as wind_gust_mph
from {{ source('erp', 'flights') }} as flights
inner join {{ source('erp', 'airlines') }} as airlines
    on flights.carrier = airlines.carrier
inner join {{ source('erp', 'airports') }} as origins
    on flights.origin = origins.faa
left join {{ source('erp', 'airports') }} as destinations
    on flights.dest = destinations.faa
left join {{ source('erp', 'planes') }} as planes
    on flights.tailnum = planes.tailnum
left join {{ source('erp', 'weather') }} as weather
    on
        flights.origin = weather.origin
        and flights.time_hour = weather.time_hour
