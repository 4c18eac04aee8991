// The exact lines that send to this server, for each product and language. Pure.

export interface Product { id: string; name: string; about: string; keyKind: string }
export const PRODUCTS: Product[] = [
  { id: "otlp", name: "OpenTelemetry (OTLP)", about: "Traces, logs and metrics of any OpenTelemetry SDK or collector.", keyKind: "ingest" },
  { id: "honeycomb", name: "Honeycomb", about: "Distributions and libhoney, unmodified.", keyKind: "ingest" },
  { id: "xray", name: "AWS X-Ray", about: "The X-Ray SDKs by their daemon's address; no daemon is needed.", keyKind: "aws" },
  { id: "logs", name: "CloudWatch Logs", about: "watchtower, boto3, the AWS CLI, agents.", keyKind: "aws" },
  { id: "rollbar", name: "Rollbar", about: "The Rollbar SDKs by their endpoint setting.", keyKind: "rollbar" },
];
export const LANGUAGES = ["Python", "Node", "Go", "Java", "Ruby", "Rust"] as const;
export type LanguageName = (typeof LANGUAGES)[number];

export interface Place { origin: string; host: string; key: string; service: string }

const OTEL_INSTALL: Record<LanguageName, string> = {
  Python: "pip install opentelemetry-distro opentelemetry-exporter-otlp\nopentelemetry-bootstrap -a install\nopentelemetry-instrument python app.py",
  Node: "npm install @opentelemetry/auto-instrumentations-node\nnode --require @opentelemetry/auto-instrumentations-node/register app.js",
  Go: "// go get go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp\nexporter, err := otlptracehttp.New(ctx) // reads the variables above",
  Java: "java -javaagent:opentelemetry-javaagent.jar -jar app.jar",
  Ruby: "# gem 'opentelemetry-sdk', 'opentelemetry-exporter-otlp', 'opentelemetry-instrumentation-all'\nOpenTelemetry::SDK.configure { |c| c.use_all }",
  Rust: "// opentelemetry-otlp, feature http-proto\nlet exporter = opentelemetry_otlp::SpanExporter::builder().with_http().build()?; // reads the variables above",
};

const XRAY: Record<LanguageName, string> = {
  Python: "# pip install aws-xray-sdk\nfrom aws_xray_sdk.core import xray_recorder\nfrom aws_xray_sdk.ext.flask.middleware import XRayMiddleware\nxray_recorder.configure(service='SERVICE')\nXRayMiddleware(app, xray_recorder)",
  Node: "// npm install aws-xray-sdk\nconst AWSXRay = require('aws-xray-sdk');\napp.use(AWSXRay.express.openSegment('SERVICE'));\n// routes\napp.use(AWSXRay.express.closeSegment());",
  Go: "// go get github.com/aws/aws-xray-sdk-go/v2/xray\nhttp.Handle(\"/\", xray.Handler(xray.NewFixedSegmentNamer(\"SERVICE\"), handler))",
  Java: "// com.amazonaws:aws-xray-recorder-sdk-core\nregistry.addFilter(new AWSXRayServletFilter(\"SERVICE\"));",
  Ruby: "# gem 'aws-xray-sdk'\nXRay.recorder.configure({ name: 'SERVICE' })",
  Rust: "// The AWS has no X-Ray SDK for Rust: send OpenTelemetry spans, which are in the map and the trace list too.",
};

const LOGS: Record<LanguageName, string> = {
  Python: "# pip install watchtower\nimport boto3, logging, watchtower\nclient = boto3.client('logs', endpoint_url='ORIGIN', region_name='us-east-1')\nlogging.getLogger().addHandler(watchtower.CloudWatchLogHandler(log_group_name='SERVICE', boto3_client=client))",
  Node: "// npm install @aws-sdk/client-cloudwatch-logs\nconst client = new CloudWatchLogsClient({ endpoint: 'ORIGIN', region: 'us-east-1' });",
  Go: "client := cloudwatchlogs.NewFromConfig(cfg, func(o *cloudwatchlogs.Options) { o.BaseEndpoint = aws.String(\"ORIGIN\") })",
  Java: "CloudWatchLogsClient.builder().endpointOverride(URI.create(\"ORIGIN\")).region(Region.US_EAST_1).build();",
  Ruby: "client = Aws::CloudWatchLogs::Client.new(endpoint: 'ORIGIN', region: 'us-east-1')",
  Rust: "// aws-sdk-cloudwatchlogs reads AWS_ENDPOINT_URL_CLOUDWATCH_LOGS\nlet client = aws_sdk_cloudwatchlogs::Client::new(&aws_config::load_from_env().await);",
};

const ROLLBAR: Record<LanguageName, string> = {
  Python: "# pip install rollbar\nimport rollbar, rollbar.contrib.flask\nfrom flask import got_request_exception\nwith app.app_context():\n    rollbar.init('KEY', 'production', endpoint='ORIGIN/api/1/')\n    got_request_exception.connect(rollbar.contrib.flask.report_exception, app)",
  Node: "// npm install rollbar\nconst rollbar = new Rollbar({ accessToken: 'KEY', endpoint: 'ORIGIN/api/1/item/', captureUncaught: true, captureUnhandledRejections: true });",
  Go: "rollbar.SetToken(\"KEY\")\nrollbar.SetEndpoint(\"ORIGIN/api/1/item/\")",
  Java: "Rollbar.init(withAccessToken(\"KEY\").endpoint(\"ORIGIN/api/1/item/\").build());",
  Ruby: "Rollbar.configure do |config|\n  config.access_token = 'KEY'\n  config.endpoint = 'ORIGIN/api/1/item/'\nend",
  Rust: "// No SDK of the vendor's: post JSON to ORIGIN/api/1/item/ with the header X-Rollbar-Access-Token: KEY",
};

/** Environment variables, then code. */
export function snippet(product: string, language: LanguageName, place: Place): string {
  const fill = (text: string) => text.replaceAll("ORIGIN", place.origin).replaceAll("HOST", place.host).replaceAll("KEY", place.key || "YOUR_KEY").replaceAll("SERVICE", place.service);
  switch (product) {
    case "otlp":
      return fill(`export OTEL_EXPORTER_OTLP_ENDPOINT=ORIGIN\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n${place.key ? "export OTEL_EXPORTER_OTLP_HEADERS=x-honeycomb-team=KEY\n" : ""}export OTEL_SERVICE_NAME=SERVICE\n\n${OTEL_INSTALL[language]}`);
    case "honeycomb":
      return fill(`export HONEYCOMB_API_ENDPOINT=ORIGIN\nexport HONEYCOMB_API_KEY=KEY\nexport OTEL_EXPORTER_OTLP_ENDPOINT=ORIGIN\nexport OTEL_EXPORTER_OTLP_HEADERS=x-honeycomb-team=KEY\nexport OTEL_SERVICE_NAME=SERVICE\n\n${OTEL_INSTALL[language]}`);
    case "xray":
      return fill(`export AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:2000\n\n${XRAY[language]}`);
    case "logs":
      return fill(`export AWS_ENDPOINT_URL_CLOUDWATCH_LOGS=ORIGIN\nexport AWS_DEFAULT_REGION=us-east-1\n${keyLines(place.key)}\n\n${LOGS[language]}`);
    default:
      return fill(ROLLBAR[language]);
  }
}

function keyLines(key: string): string {
  const [id, secret] = key.split(" ");
  return `export AWS_ACCESS_KEY_ID=${id || "any"}\nexport AWS_SECRET_ACCESS_KEY=${secret || "any"}`;
}
