//! Places in code without what changes from one build or machine to the next: folders of installations, versions and
//! hashes in names, numbers of closures. Also whose code a frame is, where the client did not say.

use std::sync::LazyLock;

use regex::Regex;

use crate::{Code, Frame};

/// Folders behind which a library's own path begins.
const LIBRARY_FOLDERS: [&str; 9] = [
    "site-packages/",
    "dist-packages/",
    "node_modules/",
    "/gems/",
    "vendor/bundle/",
    "/pkg/mod/",
    ".cargo/registry/src/",
    "/rustc/",
    "vendor/composer/",
];

/// What the code of a language's own library begins with.
const RUNTIME_PREFIXES: [&str; 17] = [
    "<frozen ",
    "<string>",
    "node:",
    "internal/",
    "java.",
    "javax.",
    "jdk.",
    "sun.",
    "kotlin.",
    "scala.",
    "System.",
    "Microsoft.",
    "core::",
    "std::",
    "alloc::",
    "/usr/local/go/src/",
    "[native code]",
];

static VERSIONS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"v?\d+(?:\.\d+)+(?:[-+][0-9A-Za-z.]+)?").expect("a constant"));
/// Hashes that builds put into names: eight or more hex digits, of which one is a number.
static HASHES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b[a-f]*[0-9][0-9a-f]{6,}[0-9a-f]*\b|\b[a-f]+[0-9][0-9a-f]{5,}\b").expect("a constant")
});
static NUMBERS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d{2,}").expect("a constant"));
static CLOSURES: LazyLock<Regex> = LazyLock::new(|| {
    let kinds = [
        r"<lambda>",
        r"<anonymous>",
        r"\(anonymous(?: function)?\)",
        r"\[anonymous\]",
        r"lambda\$[\w$]*",
        r"\{\{closure\}\}",
        r"\{closure[^}]*\}",
        r"\.func\d+(?:\.\d+)*",
        r"block (?:\(\d+ levels\) )?in ",
        r"::h[0-9a-f]{16}$",
        r"\$\$Lambda[^.]*",
    ];
    Regex::new(&kinds.join("|")).expect("a constant")
});

/// Names longer than this are cut.
const NAME_BYTES_MAX: usize = 512;

/// Where a frame's code lies, without what changes.
pub(crate) fn path(file: &str, root: Option<&str>) -> String {
    let file = super::parameterise::cut(file, NAME_BYTES_MAX).replace('\\', "/");
    // Of an address in a browser, its path.
    let file = match file.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or(rest, |(_, path)| path).to_owned(),
        None => file,
    };
    let file = file.split(['?', '#']).next().unwrap_or_default();
    let library = LIBRARY_FOLDERS.iter().filter_map(|folder| Some(file.rfind(folder)? + folder.len())).max();
    let root = root.map(|root| root.trim_end_matches('/')).filter(|root| !root.is_empty());
    let short = match (library, root.and_then(|root| file.strip_prefix(root))) {
        (Some(start), _) => &file[start..],
        (None, Some(within)) => within.trim_start_matches('/'),
        (None, None) => match file.split_once("/lib/python") {
            Some((_, rest)) => rest.split_once('/').map_or(file, |(_, within)| within),
            None => file,
        },
    };
    let short = VERSIONS.replace_all(short, "*");
    let short = HASHES.replace_all(&short, "*");
    NUMBERS.replace_all(&short, "*").into_owned()
}

/// What a frame's function is called, without what changes.
pub(crate) fn method(method: &str) -> String {
    let method = super::parameterise::cut(method, NAME_BYTES_MAX);
    let method = CLOSURES.replace_all(method, "*");
    NUMBERS.replace_all(&method, "*").into_owned()
}

/// Whose code a frame is: what the client said, else what its place says.
pub(crate) fn code(frame: &Frame, root: Option<&str>) -> Code {
    if frame.code != Code::Unknown {
        return frame.code;
    }
    let file = frame.file.replace('\\', "/");
    let module = frame.module.as_deref().unwrap_or_default();
    let is_runtime = |name: &str| RUNTIME_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    if LIBRARY_FOLDERS.iter().any(|folder| file.contains(folder))
        || file.contains("/lib/python")
        || is_runtime(&file)
        || is_runtime(module)
    {
        return Code::Library;
    }
    match root.filter(|root| !root.is_empty()) {
        Some(root) if file.starts_with('/') && !file.starts_with(root) => Code::Library,
        _ => Code::InApp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_do_not_depend_on_machine_and_build() {
        for (file, root, wanted) in [
            ("/srv/ap/shop/app.py", Some("/srv/ap/shop"), "app.py"),
            ("/srv/ap/shop/app.py", Some("/srv/ap/shop/"), "app.py"),
            ("/srv/ap/v/lib/python3.11/site-packages/flask/app.py", Some("/srv/ap/shop"), "flask/app.py"),
            ("/usr/lib/python3.12/json/decoder.py", None, "json/decoder.py"),
            ("http://shop.example/static/main.3f2a1b9c.js?v=2", None, "static/main.*.js"),
            ("webpack-internal:///./src/cart.ts", None, "./src/cart.ts"),
            ("/app/node_modules/express/lib/router/index.js", None, "express/lib/router/index.js"),
            ("/usr/lib/ruby/gems/3.2.0/gems/rack-3.0.8/lib/rack/head.rb", None, "rack-*/lib/rack/head.rb"),
            ("C:\\shop\\Cart.cs", None, "C:/shop/Cart.cs"),
            ("/releases/20261123094100/app.rb", None, "/releases/*/app.rb"),
            ("/srv/decade/facade.py", None, "/srv/decade/facade.py"),
        ] {
            assert_eq!(path(file, root), wanted, "{file}");
        }
    }

    #[test]
    fn closures_and_numbers_of_methods_are_left_out() {
        for (name, wanted) in [
            ("hello", "hello"),
            ("<lambda>", "*"),
            ("Object.<anonymous>", "Object.*"),
            ("[anonymous]", "*"),
            ("lambda$main$0", "*"),
            ("main.run.func1.2", "main.run*"),
            ("shop::pay::{{closure}}", "shop::pay::*"),
            ("shop::pay::h0123456789abcdef", "shop::pay*"),
            ("handler_1234", "handler_*"),
            ("step2", "step2"),
            ("block (2 levels) in index", "*index"),
        ] {
            assert_eq!(method(name), wanted, "{name}");
        }
    }

    #[test]
    fn whose_code_it_is() {
        for (file, module, root, wanted) in [
            ("/srv/shop/app.py", None, Some("/srv/shop"), Code::InApp),
            ("/opt/other/x.py", None, Some("/srv/shop"), Code::Library),
            ("/srv/shop/node_modules/a/b.js", None, Some("/srv/shop"), Code::Library),
            ("/usr/lib/python3.12/json/decoder.py", None, None, Code::Library),
            ("node:internal/process/task_queues", None, None, Code::Library),
            ("ArrayList.java", Some("java.util.ArrayList"), None, Code::Library),
            ("Cart.java", Some("com.shop.Cart"), None, Code::InApp),
            ("app.py", None, Some("/srv/shop"), Code::InApp),
        ] {
            let frame = Frame { file: file.into(), module: module.map(str::to_owned), ..Frame::default() };
            assert_eq!(code(&frame, root), wanted, "{file}");
        }
        let frame = Frame { file: "/srv/shop/app.py".into(), code: Code::Library, ..Frame::default() };
        assert_eq!(code(&frame, None), Code::Library, "the client knows best");
    }
}
