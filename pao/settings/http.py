"""The settings of the HTTP service: where it listens, and its limits."""

from datetime import timedelta

from pydantic import Field

from pao.settings.sections import Count, Port, SettingsSection
from pao.settings.values import Duration, DurationOrZero, Networks, Size


class HttpSettings(SettingsSection):
    """The HTTP service."""

    host: str = Field("127.0.0.1", validation_alias="PAO_HOST")
    port: Port = Field(8080, validation_alias="PAO_PORT")
    replicas: Count = Field(1, validation_alias="PAO_REPLICAS")
    submission_budget: Duration = Field(
        timedelta(seconds=3), validation_alias="PAO_SUBMISSION_BUDGET"
    )
    api_timeout: Duration = Field(timedelta(seconds=30), validation_alias="API_TIMEOUT")
    max_request_size: Size = Field(1024**2, validation_alias="MAX_REQUEST_SIZE")
    max_header_size: Size = Field(32 * 1024, validation_alias="PAO_MAX_HEADER_SIZE")
    max_headers: Count = Field(100, validation_alias="PAO_MAX_HEADERS")
    header_timeout: Duration = Field(timedelta(seconds=10), validation_alias="PAO_HEADER_TIMEOUT")
    idle_timeout: Duration = Field(timedelta(seconds=75), validation_alias="PAO_IDLE_TIMEOUT")
    max_connections: Count = Field(1000, validation_alias="PAO_MAX_CONNECTIONS")
    max_connections_per_address: Count = Field(
        200, validation_alias="PAO_MAX_CONNECTIONS_PER_ADDRESS"
    )
    trusted_proxies: Networks = Field((), validation_alias="PAO_TRUSTED_PROXIES")
    max_streams: Count = Field(200, validation_alias="PAO_MAX_STREAMS")
    max_streams_per_caller: Count = Field(10, validation_alias="PAO_MAX_STREAMS_PER_CALLER")
    stream_heartbeat: Duration = Field(
        timedelta(seconds=10), validation_alias="PAO_STREAM_HEARTBEAT"
    )
    stream_lifetime: Duration = Field(timedelta(hours=1), validation_alias="PAO_STREAM_LIFETIME")
    drain: DurationOrZero = Field(timedelta(seconds=10), validation_alias="PAO_DRAIN")
    rate_limit_per_minute: Count = Field(60, validation_alias="RATE_LIMIT_REQUESTS_PER_MINUTE")
    correlation_id_header: str = Field(
        "X-Correlation-ID", validation_alias="CORRELATION_ID_HEADER", pattern=r"^[A-Za-z0-9-]+$"
    )
