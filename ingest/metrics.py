"""Figures for a monitoring system. Labels are sites, states and reasons; never anything printed on a report."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from store.blind_audit import AuditFigures


class Metrics:
    """The service's figures, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.files = Counter(
            "scorebridge_files_total", "Files by what became of them", ["site", "outcome"], registry=self.registry
        )
        self.records = Counter(
            "scorebridge_records_total", "Records by decision", ["site", "decision"], registry=self.registry
        )
        self.reading_seconds = Histogram(
            "scorebridge_reading_seconds",
            "Time to read one file",
            ["site"],
            buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
            registry=self.registry,
        )
        self.last_scan = Gauge(
            "scorebridge_last_good_scan_timestamp_seconds",
            "When the folder was last scanned without an error",
            ["site", "source"],
            registry=self.registry,
        )
        self.pending_files = Gauge(
            "scorebridge_pending_files", "Files seen and not yet taken", ["site", "source"], registry=self.registry
        )
        self.alerts = Counter(
            "scorebridge_critical_alerts_total", "Critical answers raised", ["site"], registry=self.registry
        )
        self._blind_audits = Gauge(
            "scorebridge_blind_audits",
            "Automatic matches drawn for a blind audit, by what became of it",
            ["outcome"],
            registry=self.registry,
        )
        self._error_bound = Gauge(
            "scorebridge_blind_audit_error_bound_ratio",
            "One-sided 95 % upper bound of the share of wrong automatic matches; 1 before the first check",
            registry=self.registry,
        )
        self._error_bound.set(1)

    def show_blind_audit(self, found: AuditFigures) -> None:
        """Set the figures of the blind audit."""
        outcomes = {
            "waiting": found.waiting,
            "agreed": found.agreed,
            "wrong": found.wrong,
            "cannot-tell": found.cannot_tell,
        }
        for outcome, count in outcomes.items():
            self._blind_audits.labels(outcome).set(count)
        self._error_bound.set(found.bound)

    def exposition(self) -> bytes:
        """The figures in the Prometheus text format."""
        return generate_latest(self.registry)
