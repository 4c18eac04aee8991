//! Whose code a frame of a text is: what its place says, and what each language's own library and best known frameworks are
//! called.

use super::Language;
use crate::{Code, Frame, fingerprint};

const JVM_LIBRARIES: [&str; 14] = [
    "com.sun.",
    "groovy.",
    "io.netty.",
    "io.opentelemetry.",
    "io.undertow.",
    "kotlinx.",
    "org.apache.",
    "org.codehaus.",
    "org.eclipse.jetty.",
    "org.hibernate.",
    "org.jboss.",
    "org.junit.",
    "org.springframework.",
    "reactor.",
];
const RUST_LIBRARIES: [&str; 9] =
    ["rust_begin_unwind", "__rust", "_start", "__libc_", "main", "tokio::", "hyper::", "axum::", "<core::"];

pub(super) fn code(language: Language, frame: &Frame) -> Code {
    if fingerprint::code_of(frame) == Code::Library {
        return Code::Library;
    }
    let module = frame.module.as_deref().unwrap_or_default();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| module.starts_with(prefix));
    let is_library = match language {
        Language::Python => frame.file.starts_with('<'),
        Language::JavaScript => frame.file.is_empty() || frame.file.starts_with('<'),
        Language::Java => starts(&JVM_LIBRARIES),
        // Packages of others begin with the name of a host; the application's own may, too.
        Language::Go => {
            let is_standard = !module.split('/').next().unwrap_or_default().contains('.')
                && frame.file.contains(&format!("/src/{module}/"));
            is_standard || module.is_empty() || module == "runtime"
        }
        Language::DotNet => module == "System" || module.starts_with("OpenTelemetry."),
        Language::Ruby => frame.file.starts_with("<internal:") || frame.file.contains("/lib/ruby/"),
        Language::Php => frame.file.contains("/vendor/") || frame.file == "[internal function]",
        Language::Rust => {
            let name = match frame.module.as_deref() {
                Some(module) => format!("{module}::"),
                None => frame.method.clone().unwrap_or_default(),
            };
            let name = name.trim_start_matches('<');
            RUST_LIBRARIES.iter().any(|library| name.starts_with(library))
                || ["std::", "core::", "alloc::"].iter().any(|library| name.starts_with(library))
        }
    };
    if is_library { Code::Library } else { Code::InApp }
}
