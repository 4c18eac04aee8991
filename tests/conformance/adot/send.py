"""Sends spans and a metric as the AWS distribution of OpenTelemetry does without a collector: over UDP to the X-Ray
daemon's port. `python send.py ADDRESS COUNT` prints the trace ids, a line each."""

import sys

from amazon.opentelemetry.distro.otlp_udp_exporter import OTLPUdpMetricExporter, OTLPUdpSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind

resource = Resource.create({"service.name": "adot-shop", "cloud.platform": "aws_ec2"})
provider = TracerProvider(resource=resource)
provider.add_span_processor(SimpleSpanProcessor(OTLPUdpSpanExporter(endpoint=sys.argv[1], sampled=True)))
# Exported once, when it shuts down.
reader = PeriodicExportingMetricReader(OTLPUdpMetricExporter(endpoint=sys.argv[1]), export_interval_millis=3_600_000)
meters = MeterProvider(resource=resource, metric_readers=[reader])
visits = meters.get_meter("conformance").create_counter("visits")
tracer = provider.get_tracer("conformance")
for number in range(int(sys.argv[2])):
    visits.add(1)
    with tracer.start_as_current_span("GET /", kind=SpanKind.SERVER, attributes={"number": number}) as span:
        with tracer.start_as_current_span("work"):
            pass
        print(f"{span.get_span_context().trace_id:032x}")
provider.shutdown()
meters.shutdown()
