"""Dates, times, timestamps, intervals."""

from importers.types.carried import TEXT as AS_IT_PRINTS
from importers.types.carried import CarriedType

TYPES = {
    "date": CarriedType("date", "date"),
    "timestamp": CarriedType("timestamp", "timestamp(6)"),
    "timestamptz": CarriedType("timestamptz", "timestamp(6) with time zone"),
    "time": CarriedType("time", "time(6)"),
    "timetz": AS_IT_PRINTS,
    "interval": AS_IT_PRINTS,
}
