"""Sends spans as the AWS distribution of OpenTelemetry does without a collector: over UDP to the X-Ray daemon's port.
`python send.py ADDRESS COUNT` prints the trace ids, a line each."""

import sys

from amazon.opentelemetry.distro.exporter.otlp.udp.exporter import OTLPUdpSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind

provider = TracerProvider(resource=Resource.create({"service.name": "adot-shop", "cloud.platform": "aws_ec2"}))
provider.add_span_processor(SimpleSpanProcessor(OTLPUdpSpanExporter(endpoint=sys.argv[1], sampled=True)))
tracer = provider.get_tracer("conformance")
for number in range(int(sys.argv[2])):
    with tracer.start_as_current_span("GET /", kind=SpanKind.SERVER, attributes={"number": number}) as span:
        with tracer.start_as_current_span("work"):
            pass
        print(f"{span.get_span_context().trace_id:032x}")
provider.shutdown()
