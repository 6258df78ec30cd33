"""Dates, times, timestamps, intervals."""

from dayslice.rules.decoding import Decoding
from dayslice_importers.types.carried import TEXT, CarriedType

TYPES = {
    "date": CarriedType("date", "date", Decoding.ERA),
    "timestamp": CarriedType("timestamp", "timestamp(6)", Decoding.ERA),
    "timestamptz": CarriedType("timestamptz", "timestamp(6) with time zone", Decoding.ERA),
    "time": CarriedType("time", "time(6)"),
    "timetz": TEXT,
    "interval": TEXT,
}
