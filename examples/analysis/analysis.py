"""How much of what resources offer is booked, and how long ahead: figures and pictures of one tenant.

Reads the views of daybook's schema `analytics` (docs/analytics.md) as they are in the database: nothing here
repeats what their columns are.
"""

import argparse
import os
import sys
from datetime import date
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # Draws into files, also where there is no screen.

import matplotlib.pyplot as plt
import pandas as pd
import psycopg
from sqlalchemy import Engine, MetaData, create_engine, select


def main() -> None:
    asked = arguments()
    engine = connect(asked.database_url)
    views = reflected(engine)
    days = resource_days(engine, views, asked)
    if days.empty:
        sys.exit(f"tenant {asked.tenant} has neither offered nor booked anything on these days")
    by_resource = summed(days)
    leads = lead_times(engine, views, asked)

    asked.out.mkdir(parents=True, exist_ok=True)
    by_resource.to_csv(asked.out / "utilisation.csv")
    leads.to_csv(asked.out / "lead_times.csv", index=False)
    draw_utilisation(days, asked.out / "utilisation.png")
    draw_lead_times(leads, asked.out / "lead_times.png")
    print(by_resource.to_csv(), end="")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tenant", required=True)
    parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
    parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
    parser.add_argument("--out", type=Path, default=Path("out"), help="the folder for figures and pictures")
    parser.add_argument("--database-url", default=os.environ.get("ANALYSIS_DATABASE_URL"))
    asked = parser.parse_args()
    if not asked.database_url:
        parser.error("name the database: --database-url, or ANALYSIS_DATABASE_URL")
    return asked


def connect(url: str) -> Engine:
    # PostgreSQL's own library reads the URL, with all that it can say: sockets, certificates, services.
    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))


def reflected(engine: Engine) -> MetaData:
    """The views, as the database describes them."""
    views = MetaData(schema="analytics")
    views.reflect(engine, views=True, only=["appointments", "events", "utilisation"])
    return views


def resource_days(engine: Engine, views: MetaData, asked: argparse.Namespace) -> pd.DataFrame:
    """The rows of `utilisation`: what is offered and what is booked are rows of their own."""
    utilisation = views.tables["analytics.utilisation"]
    query = (
        select(utilisation)
        .where(utilisation.c.tenant_id == asked.tenant)
        .where(utilisation.c.day.between(asked.first, asked.last))
    )
    days = pd.read_sql(query, engine, parse_dates=["day"])
    days["resource_id"] = days["resource_id"].astype(str)
    return days


def summed(days: pd.DataFrame) -> pd.DataFrame:
    columns = ["offered_minutes", "booked_minutes", "appointments", "cancellations", "no_shows",
               "lead_minutes", "lead_appointments"]
    sums = days.groupby("resource_id")[columns].sum()
    sums["utilisation"] = sums["booked_minutes"] / sums["offered_minutes"].where(sums["offered_minutes"] > 0)
    known = sums["lead_appointments"].where(sums["lead_appointments"] > 0)
    sums["mean_lead_minutes"] = sums["lead_minutes"] / known
    return sums


def lead_times(engine: Engine, views: MetaData, asked: argparse.Namespace) -> pd.DataFrame:
    """From when appointments were booked to their start, in days."""
    appointments, events = views.tables["analytics.appointments"], views.tables["analytics.events"]
    # When those were booked that were copied from another calendar, nobody knows.
    imported = (
        select(events.c.aggregate_id)
        .where(events.c.tenant_id == asked.tenant)
        .where(events.c.imported.is_(True))
    )
    query = (
        select(appointments.c.appointment_id, appointments.c.start_at, appointments.c.booked_at)
        .where(appointments.c.tenant_id == asked.tenant)
        .where(appointments.c.start_at >= pd.Timestamp(asked.first, tz="UTC"))
        .where(appointments.c.start_at < pd.Timestamp(asked.last, tz="UTC") + pd.Timedelta(days=1))
        .where(appointments.c.status != "cancelled")
        .where(appointments.c.booked_at.is_not(None))
        .where(appointments.c.appointment_id.not_in(imported))
        .order_by(appointments.c.start_at, appointments.c.appointment_id)
    )
    leads = pd.read_sql(query, engine, parse_dates=["start_at", "booked_at"])
    leads["lead_days"] = (leads["start_at"] - leads["booked_at"]) / pd.Timedelta(days=1)
    return leads[["appointment_id", "start_at", "lead_days"]]


def draw_utilisation(days: pd.DataFrame, file: Path) -> None:
    minutes = days.groupby("day")[["offered_minutes", "booked_minutes"]].sum()
    figure, axes = plt.subplots(figsize=(10, 4), layout="constrained")
    axes.bar(minutes.index, minutes["offered_minutes"] / 60, color="lightgrey", label="offered")
    axes.bar(minutes.index, minutes["booked_minutes"] / 60, color="tab:blue", width=0.5, label="booked")
    axes.set(title="What was offered and booked", ylabel="hours")
    axes.legend()
    figure.autofmt_xdate()
    figure.savefig(file, dpi=120)
    plt.close(figure)


def draw_lead_times(leads: pd.DataFrame, file: Path) -> None:
    figure, axes = plt.subplots(figsize=(10, 4), layout="constrained")
    axes.hist(leads["lead_days"], bins=30, color="tab:orange")
    axes.set(title="How long ahead appointments are booked", xlabel="days", ylabel="appointments")
    figure.savefig(file, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    main()
