//! Questions in X-Ray's terms over the rows of both doors: its own segments and OpenTelemetry's spans. The X-Ray door
//! asks them; what a row stands for on the service map is decided here, in one place.

mod node;

pub use node::subsegment_node;
