"""Fills the tables with the reference's data, writes our URLs, and prints ratios.

fill.py ENGINE_FOLDER EVENTS | fill.py --urls FOLDER | fill.py --ratios RESULTS
"""
import collections
import os
import re
import sys


def fill(folder, events):
    from chengine import Conn

    # The generator runs when it is imported; only its expressions are wanted.
    generator = {"__file__": "gen.py", "__name__": "generator"}
    exec(open("gen.py").read().rsplit("main()", 1)[0], generator)

    connection = Conn(folder)
    cast = lambda expression, kind: f"arrayMap(value -> assumeNotNull(value::{kind}), {expression})"
    columns = (
        "event_id, time_utc, event, profile_code, platform_session_id, platform, agent_id, agent_email, agent_name, visitor_id,"
        " conversation_id, data, suggestions.id, suggestions.source, suggestions.len_text, suggestions.edited, suggestions.rest, ingested_at"
    )
    for low in range(0, events, 500_000):
        rows = generator["events_select"](low, min(events, low + 500_000), events)
        source = cast("parsed.suggestions[].source", "String")
        length = f"arrayMap(value -> toUInt32(assumeNotNull(value::Int64)), parsed.suggestions[].len_text)"
        data = (
            "if(event = 'Send Message', concat('{\"text_length\":', toString(assumeNotNull(parsed.len_message::Int64)),"
            " ',\"len_typed\":', toString(assumeNotNull(parsed.len_typed::Int64)), ',\"channel\":\"chat\"}'), text)"
        )
        connection.query(
            f"INSERT INTO acme_analytics.events ({columns}) SELECT event_id, time_utc, event, profile_code, platform_session_id, platform,"
            f" agent_id, agent_email, agent_name, visitor_id, conversation_id, {data}, arrayMap(value -> '', {source}), {source}, {length},"
            f" arrayMap(value -> false, {source}), arrayMap(value -> '', {source}), now64(6)"
            f" FROM (SELECT * EXCEPT data, data AS text, data::JSON AS parsed FROM ({rows}))"
        )
    for table in ("events", "recommendations_15m", "recommendations_1h", "recommendation_agents_15m"):
        connection.query(f"OPTIMIZE TABLE acme_analytics.{table} FINAL")
    print(connection.query(
        "SELECT table, sum(rows), formatReadableSize(sum(bytes_on_disk)) FROM system.parts"
        " WHERE active AND database = 'acme_analytics' GROUP BY table ORDER BY table", "TSV").decode())
    os._exit(0)


def urls(folder):
    """The reference's questions as ours: the same days, written as days."""
    for name in ("chart7", "chart90"):
        lines = []
        for line in open(f"{folder}/{name}"):
            line = line.strip().replace("/recommendations", "/api/v1/recommendations", 1)
            line = re.sub(r"T00:00:00Z|T23:59:59Z", "", line)
            lines.append(line)
        open(f"{folder}/ours_{name}", "w").write("\n".join(lines) + "\n")
    open(f"{folder}/ours_health", "w").write("/healthz\n")


def ratios(results):
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in open(results) if line.startswith("|")][2:]
    found = collections.defaultdict(dict)
    for target, scenario, clients, rate, p50, *_ in rows:
        found[scenario, clients][target] = float(rate.split()[0]), float(p50)
    print("| question | clients | requests a second, ratio | p50 ms, chartwell | p50 ms, reference |\n|---|---|---|---|---|")
    for (scenario, clients), by in found.items():
        ours, theirs = by["chartwell"], by["reference"]
        print(f"| {scenario} | {clients} | {ours[0] / theirs[0]:.1f} | {ours[1]:.2f} | {theirs[1]:.2f} |")


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    if sys.argv[1] == "--urls":
        urls(sys.argv[2])
    elif sys.argv[1] == "--ratios":
        ratios(sys.argv[2])
    else:
        fill(sys.argv[1], int(float(sys.argv[2])))
