"""What Prometheus is told."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0)


class Meters:
    """Counters of one server."""

    def __init__(self) -> None:
        """Start from zero; nothing is shared with another server in the process."""
        self._registry = CollectorRegistry()
        self.frames = Counter("fer_frames", "Frames looked at", registry=self._registry)
        self.faces = Counter("fer_faces", "Faces found", registry=self._registry)
        self.captures = Counter(
            "fer_captures", "Faces put into the inbox", ["emotion"], registry=self._registry
        )
        self.seconds = Histogram(
            "fer_frame_seconds",
            "Time from a frame's arrival to its answer",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.sessions = Gauge("fer_sessions", "Live sessions open", registry=self._registry)
        self.version = Gauge(
            "fer_champion_version", "Model version served; 0: none", registry=self._registry
        )
        self.broken = Gauge(
            "fer_champion_broken", "1 while the champion cannot be served", registry=self._registry
        )

    def text(self) -> bytes:
        """Return all values in Prometheus' text format."""
        return generate_latest(self._registry)
