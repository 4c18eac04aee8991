//! What is read of the traces in `fuzz/seeds/stack_text`, spelled as one line an exception and one line a frame: `+` is
//! the application's own code, `-` a library's.

use super::*;
use crate::Code;

fn spelled(trace: &Trace) -> String {
    let mut text = trace.language.name().to_owned();
    for one in &trace.chain {
        text.push_str(&format!("\n{}|{}", one.class, one.message.as_deref().unwrap_or_default()));
        for frame in &one.frames {
            let sign = if frame.code == Code::InApp { '+' } else { '-' };
            let line = frame.line.map(|line| format!(":{line}")).unwrap_or_default();
            let column = frame.column.map(|column| format!(":{column}")).unwrap_or_default();
            let module = frame.module.as_deref().map(|module| format!("{module} ")).unwrap_or_default();
            let method = frame.method.as_deref().unwrap_or("?");
            text.push_str(&format!("\n {sign} {}{line}{column} {module}{method}", frame.file));
        }
    }
    text
}

macro_rules! traces {
    ($($name:literal => $expected:literal,)*) => {
        [$(($name, include_str!(concat!("../../../../fuzz/seeds/stack_text/", $name, ".txt")), $expected),)*]
    };
}

#[test]
fn each_language_is_told_and_read() {
    for (name, text, expected) in traces! {
        "python_cause" => r#"python
shop.errors.CartError|no price
for a
 - /srv/shop/venv/lib/python3.12/site-packages/flask/app.py:1511 wsgi_app
 + /srv/shop/app.py:30 pay
KeyError|'a'
 + /srv/shop/cart.py:12 price"#,
        "python_context_syntax" => r#"python
SyntaxError|invalid syntax
 + /srv/shop/app.py:5 <module>
 - <string>:1 ?
ValueError|invalid literal for int() with base 10: 'x'
 + /srv/shop/app.py:3 <module>"#,
        "python_group" => r#"python
ExceptionGroup|unhandled errors in a TaskGroup (2 sub-exceptions)
 + /srv/shop/jobs.py:9 run
ValueError|one
 + /srv/shop/jobs.py:4 one
TypeError|
 + /srv/shop/jobs.py:6 two"#,
        "javascript_node" => r#"javascript
TypeError|Cannot read properties of undefined (reading 'price')
 - <index 0>  Promise.all
 - node:internal/process/task_queues:95:5 process.processTicksAndRejections
 - /srv/shop/node_modules/express/lib/router/layer.js:95:5 Layer.handle
 + /srv/shop/order.mjs:3:9 new Order
 + /srv/shop/app.js:22:5 ?
 + /srv/shop/cart.js:10:15 Cart.price
Error|no row: 7
 + /srv/shop/db.js:4:11 find"#,
        "javascript_firefox" => r#"javascript
|
 + https://shop.example/:12:3 global code
 + https://shop.example/static/app.js:2:1 ?
 + https://shop.example/static/cart.js:10:15 price"#,
        "java_caused_by" => r#"java
com.shop.CartException|cannot pay
because of the bank
 - InvocableHandlerMethod.java:205 org.springframework.web.method.support.InvocableHandlerMethod doInvoke
 - ArrayList.java:1511 java.util.ArrayList forEach
 + Cart.java:17 com.shop.Cart lambda$main$0
 + Cart.java:42 com.shop.Cart pay
java.io.IOException|connection reset
 + Bank.kt:8 com.shop.Bank$Client call
 -  sun.nio.ch.SocketDispatcher read0"#,
        "xray" => r#"python
ZeroDivisionError|division by zero
 - /usr/lib/python3.12/runpy.py:88 <module>
 + /srv/shop/app.py:7 divide"#,
        "go_panic" => r#"go
runtime.Error|runtime error: index out of range [5] with length 3
 - /opt/go/src/net/http/server.go:3285 net/http (*Server).Serve
 + /srv/shop/main.go:8 main main.func1
 + /srv/shop/cart/cart.go:12 github.com/acme/shop/cart (*Cart).Pay
 - /usr/local/go/src/runtime/panic.go:770 panic
 - /usr/local/go/src/runtime/debug/stack.go:24 runtime/debug Stack"#,
        "go_pkg_errors" => r#"go
|cannot pay: no row
 - /usr/local/go/src/runtime/asm_amd64.s:1695 runtime goexit
 + /srv/shop/main.go:5 main main
 + /srv/shop/db/find.go:7 github.com/acme/shop/db Find"#,
        "dotnet_inner" => r#"dotnet
System.InvalidOperationException|cannot pay
 +  Shop.Program .ctor
 -  System.Runtime.CompilerServices.TaskAwaiter ThrowForNonSuccess
 + /src/Shop/Cart.cs:44 Shop.Cart PayAsync
System.IO.IOException|connection reset
 + C:\src\Shop\Cart.cs:40 Shop.Cart PayAsync
 + /src/Shop/Bank.cs:12 Shop.Bank Call"#,
        "dotnet_aggregate" => r#"dotnet
System.AggregateException|One or more errors occurred. (one) (two)
 + /src/Jobs.cs:9 Shop.Jobs Run
System.Exception|one
 + /src/Jobs.cs:3 Shop.Jobs One
System.Exception|two
 + /src/Jobs.cs:5 Shop.Jobs Two"#,
        "ruby_cause" => r#"ruby
Shop::CartError|cannot pay
for 7
 + /srv/shop/app.rb:9 <main>
 - /usr/lib/ruby/gems/3.4.0/gems/rack-3.0.8/lib/rack/head.rb:15 call
 + /srv/shop/app.rb:5 Shop::App block (2 levels) in call
 + /srv/shop/cart.rb:12 Shop::Cart pay
KeyError|key not found: :a
 + /srv/shop/db.rb:3 find
 + /srv/shop/db.rb:3 Hash fetch"#,
        "ruby_backtrace" => r#"ruby
|
 + /srv/shop/app.rb:9 ?
 - <internal:kernel>:187 loop
 + /srv/shop/app.rb:5 block in call
 + /srv/shop/cart.rb:12 pay"#,
        "php_previous" => r#"php
Shop\CartError|cannot pay
for 7
 + /srv/shop/index.php:3 {main}
 - [internal function] Slim\App run
 - /srv/shop/vendor/slim/slim/App.php:9 {closure}
 + /srv/shop/cart.php:14 Shop\Cart pay
PDOException|no row
 + /srv/shop/cart.php:12 {main}
 + /srv/shop/db.php:7 Shop\Db find"#,
        "php_opentelemetry" => r#"php
Shop.CartError|cannot pay
 + index.php:3 {main}
 + cart.php:14 Shop.Cart pay
PDOException|no row
 + db.php:7 Shop.Db find"#,
        "rust_panic" => r#"rust
panic|index out of bounds: the len is 3 but the index is 5
 - /home/u/.cargo/registry/src/index/tokio-1.38.0/src/runtime/task.rs:9:1 tokio::runtime::task poll
 +  shop::main {{closure}}
 + ./src/cart.rs:12:9 shop::cart::Cart pay
 - /rustc/90b35a6239c3d8bdabc530a6a0816f7ff89a0aaf/library/core/src/panicking.rs:72:14 core::panicking panic_fmt
 - /rustc/90b35a6239c3d8bdabc530a6a0816f7ff89a0aaf/library/std/src/panicking.rs:645:5 rust_begin_unwind"#,
        "rust_anyhow" => r#"rust
|cannot pay
 + ./src/main.rs:4:5 shop pay
 - /home/u/.cargo/registry/src/index/anyhow-1.0.86/src/error.rs:83:36 anyhow::error::<impl anyhow::Error> msg
|no row: 7
|connection reset"#,
    } {
        let trace = read(text, None).unwrap_or_else(|| panic!("{name} is not read"));
        let expected = expected.replace("<index 0>  ", "<index 0> ");
        assert_eq!(spelled(&trace), expected, "{name}");
        assert_eq!(read(text, Some(trace.language)), Some(trace.clone()), "{name}, with its language");
        // Line ends of Windows change nothing.
        assert_eq!(read(&text.replace('\n', "\r\n"), None), Some(trace), "{name}");
    }
}

#[test]
fn source_lines_are_kept_without_marks() {
    let text = include_str!("../../../../fuzz/seeds/stack_text/python_cause.txt");
    let trace = read(text, None).unwrap();
    assert_eq!(trace.chain[1].frames[0].source_line.as_deref(), Some("return prices[\"a\"]"));
}

#[test]
fn a_wrong_hint_does_no_harm() {
    let text = include_str!("../../../../fuzz/seeds/stack_text/ruby_cause.txt");
    for hint in Language::ALL {
        assert_eq!(read(text, Some(hint)).unwrap().language, Language::Ruby, "{hint:?}");
    }
    assert_eq!(Language::from_sdk("nodejs"), Some(Language::JavaScript));
    assert_eq!(Language::from_sdk("cpp"), None);
}

#[test]
fn what_is_no_trace_has_no_chain() {
    for text in [
        "",
        "\n\n",
        "boom",
        "Error: at the door",
        "see http://shop.example:80 at noon",
        "a: b\n  at home",
        "1: 2\n3: 4",
    ] {
        assert_eq!(read(text, None), None, "{text}");
    }
}

#[test]
fn long_texts_are_read_in_part() {
    for (line, head) in [
        ("  File \"/a.py\", line 1, in f\n", "Traceback (most recent call last):\n"),
        ("\tat a.B.c(D.java:1)\n", "E: m\n"),
        ("    at f (/a.js:1:2)\n", "E: m\n"),
        ("main.f()\n\t/a.go:1\n", "goroutine 1 [running]:\n"),
        ("Caused by: E: m\n\tat a.B.c(D.java:1)\n", ""),
        ("/a.rb:1:in 'f': m (E)\n", ""),
        ("Traceback (most recent call last):\n  File \"/a.py\", line 1, in f\nE: m\n\n", ""),
        ("Next E: m in /a.php:1\n#0 /a.php(1): f()\n", ""),
        (" ---> E: m\n   at A.b()\n", "E: m\n"),
    ] {
        let text = format!("{head}{}", line.repeat(100_000));
        let trace = read(&text, None).unwrap_or_else(|| panic!("{line} is not read"));
        assert!((1..=CHAIN_MAX).contains(&trace.chain.len()), "{line}: {}", trace.chain.len());
        assert!(trace.chain.iter().all(|one| one.frames.len() <= FRAMES_MAX), "{line}");
    }
}
