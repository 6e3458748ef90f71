//! Every built-in kind: what goes in, what comes out, what is rejected.

use std::time::Duration;

use bytes::Bytes;
use tareas_worker::{CancelHandle, Context, HandlerError, Registry};

fn run(kind: &str, payload: &str) -> Result<String, HandlerError> {
    run_in(&Context::detached(kind), payload)
}

fn run_in(context: &Context, payload: &str) -> Result<String, HandlerError> {
    let result = Registry::with_builtins().run(context, Bytes::copy_from_slice(payload.as_bytes()));
    let result = result.map(|bytes| String::from_utf8(bytes.into()).expect("UTF-8"));
    if let Ok(json) = &result {
        serde_json::from_str::<&serde_json::value::RawValue>(json).expect("a result is JSON");
    }
    result
}

/// Cases of (kind, payload, result).
fn gives(cases: &[(&str, &str, &str)]) {
    for (kind, payload, expected) in cases {
        match run(kind, payload) {
            Ok(result) => assert_eq!(result, *expected, "{kind} {payload}"),
            Err(error) => panic!("{kind} {payload}: {error:?}"),
        }
    }
}

/// Cases of (kind, payload, a part of the error); all final.
fn rejects(cases: &[(&str, &str, &str)]) {
    for (kind, payload, part) in cases {
        let error = run(kind, payload).expect_err(&format!("{kind} {payload}"));
        assert!(!error.retryable, "{kind} {payload}: {error:?}");
        assert!(error.message.contains(part), "{kind} {payload}: {error:?}");
    }
}

/// A text line's payload.
fn line(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

#[test]
fn echo_gives_back_its_payload() {
    gives(&[
        ("echo", r#""hola""#, r#""hola""#),
        (
            "echo",
            r#"{"n": 1.0, "x":[null]}"#,
            r#"{"n": 1.0, "x":[null]}"#,
        ),
        ("echo", "12345678901234567890123", "12345678901234567890123"),
        ("echo", r#""""#, r#""""#),
    ]);
}

#[test]
fn square_is_exact() {
    gives(&[
        ("square", r#"{"n":5}"#, "25"),
        ("square", r#"{"n": -7 }"#, "49"),
        ("square", r#"{"n":0}"#, "0"),
        ("square", r#"{"n":999999999}"#, "999999998000000001"),
        ("square", r#"{"n":4294967296}"#, "18446744073709551616"),
        ("square", r#"{"n":"12"}"#, "144"),
        ("square", r#"{"n":2.5}"#, "6.25"),
        ("square", "5", "25"),
        ("square", r#""5""#, "25"),
        ("square", r#"" -5 ""#, "25"),
        ("square", r#""{\"n\":5}""#, "25"),
        (
            "square",
            "123456789012345678901234567890",
            "15241578753238836750495351562536198787501905199875019052100",
        ),
    ]);
    rejects(&[
        (
            "square",
            r#"{"m":5}"#,
            "unknown member \"m\"; square takes one number: `square 5`",
        ),
        ("square", r#"{"n":5,"m":5}"#, "unknown member"),
        ("square", "{}", "\"n\" is missing"),
        ("square", r#"{"n":true}"#, "not a number"),
        ("square", r#"{"n":null}"#, "not a number"),
        ("square", r#""cinco""#, "\"cinco\" is not a number"),
        ("square", r#""""#, "a number is missing"),
        ("square", "[5]", "a list is not a number"),
        ("square", "null", "null is not a number"),
        ("square", "1e300", "too large"),
    ]);
}

#[test]
fn integers_have_ten_thousand_digits_at_most() {
    let nines = "9".repeat(5000);
    let squared = run("square", &nines).unwrap();
    assert_eq!(squared.len(), 10_000);
    assert!(squared.starts_with("9999") && squared.ends_with("0001"));
    rejects(&[
        ("square", &"9".repeat(5001), "too large"),
        ("square", &"1".repeat(10_001), "too large"),
    ]);
    let most = "9".repeat(10_000);
    assert_eq!(run("sumar", &line(&format!("{most} 0"))).unwrap(), most);
    rejects(&[("sumar", &line(&format!("{most} 1")), "10,000 digits")]);
}

#[test]
fn sums_and_products_take_every_form() {
    gives(&[
        ("sumar", r#""2 + 2""#, "4"),
        ("add", r#""2 2""#, "4"),
        ("sumar", r#""2+2""#, "4"),
        ("sumar", r#""2, 3""#, "5"),
        ("sumar", r#""2 , 3; 4""#, "9"),
        ("sumar", r#"" 1 2 3 ""#, "6"),
        ("sumar", r#""1 + 2 + 3""#, "6"),
        ("sumar", r#""-2 + -3""#, "-5"),
        ("sumar", r#""-2 -3""#, "-5"),
        ("sumar", r#""2+-3""#, "-1"),
        ("sumar", r#""\"2 + 2\"""#, "4"),
        ("sumar", r#"{"a":2,"b":3}"#, "5"),
        ("sumar", r#"{"a":"2","b":-3}"#, "-1"),
        ("sumar", r#""{\"a\":2,\"b\":3}""#, "5"),
        ("sumar", "[1,2,3.5]", "6.5"),
        ("sumar", r#""2.5 + 1""#, "3.5"),
        ("sumar", r#""2.5 2.5""#, "5"),
        ("sumar", r#""1e3 + .5""#, "1000.5"),
        ("sumar", r#""0.1 0.2""#, "0.30000000000000004"),
        ("sumar", r#""9223372036854775807 1""#, "9223372036854775808"),
        (
            "sumar",
            r#""170141183460469231731687303715884105727 + 1""#,
            "170141183460469231731687303715884105728",
        ),
        ("multiplicar", r#""6 * 7""#, "42"),
        ("multiplicar", r#""6x7""#, "42"),
        ("multiply", r#""2 3 × 4""#, "24"),
        ("multiply", r#"{"a":-3,"b":0}"#, "0"),
        ("multiply", r#""-0.5 0""#, "0"),
        ("multiply", r#""1e200 1e-100""#, "1e100"),
    ]);
}

#[test]
fn differences_and_quotients_take_two_numbers() {
    gives(&[
        ("restar", r#""5 - 3""#, "2"),
        ("restar", r#""5-3""#, "2"),
        ("subtract", r#""5 3""#, "2"),
        ("subtract", r#""5 -3""#, "8"),
        ("subtract", r#""5--3""#, "8"),
        ("restar", r#""3 − 5""#, "-2"),
        ("restar", r#"{"b":1,"a":0}"#, "-1"),
        ("dividir", r#""6 / 3""#, "2"),
        ("dividir", r#""7 / 2""#, "3.5"),
        ("divide", r#""-7 2""#, "-3.5"),
        ("divide", r#""1 3""#, "0.3333333333333333"),
        ("divide", r#""-6 : -3""#, "2"),
        ("divide", r#""0 5""#, "0"),
        ("divide", r#""2.5 / 0.5""#, "5"),
        ("divide", r#""1 10000000""#, "1e-7"),
        ("divide", r#""9007199254740993 2""#, "4503599627370496"),
        (
            "divide",
            r#""123456789012345678901234567890 / 10""#,
            "12345678901234567890123456789",
        ),
    ]);
    rejects(&[
        ("dividir", r#""5 / 0""#, "division by zero"),
        ("dividir", r#"{"a":5,"b":0.0}"#, "division by zero"),
        ("dividir", r#""8 4 2""#, "3 numbers given"),
        ("restar", r#""3 2 1""#, "3 numbers given"),
    ]);
}

#[test]
fn a_quotient_of_huge_integers_is_the_nearest_double() {
    let (top, bottom) = (
        format!("1{}", "0".repeat(5000)),
        format!("3{}", "0".repeat(4999)),
    );
    let quotient = |a: &str, b: &str| run("divide", &line(&format!("{a} {b}")));
    assert_eq!(quotient(&top, &bottom).unwrap(), "3.3333333333333335");
    assert_eq!(quotient("1", &top).unwrap(), "0");
    assert!(
        quotient(&top, "3")
            .unwrap_err()
            .message
            .contains("too large")
    );
    // One bit above half way between two doubles: rounding twice would go down.
    assert_eq!(
        quotient("27021597764222981", "3").unwrap(),
        "9007199254740994"
    );
}

#[test]
fn arithmetic_rejects_what_it_does_not_understand() {
    rejects(&[
        ("sumar", r#""""#, "no number given"),
        ("sumar", r#""2""#, "one number given"),
        ("sumar", "2", "one number given"),
        ("sumar", r#""2 +""#, "missing at the end"),
        (
            "sumar",
            r#""dos tres""#,
            "\"dos tres\" is not a number; sumar takes two numbers",
        ),
        ("sumar", r#""2 * 3""#, "is not a number"),
        ("sumar", r#""2*3""#, "unexpected"),
        ("sumar", r#""2,5 1""#, "may be a decimal"),
        ("sumar", r#""1e999 1""#, "too large"),
        ("sumar", r#""inf 1""#, "not a number"),
        ("sumar", r#"{"a":2}"#, "one number given"),
        ("sumar", r#"{"a":2,"c":2}"#, "unknown member \"c\""),
        ("sumar", r#"{"a":2,"b":[]}"#, "not a number"),
        ("add", "true", "true given; add takes"),
        ("add", "nonsense", "not JSON"),
    ]);
}

#[test]
fn calc_knows_precedence() {
    gives(&[
        ("calc", r#""2 + 3 * 4""#, "14"),
        ("calc", r#""(2 + 3) * 4""#, "20"),
        ("calc", r#""\"2 + 3 * 4\"""#, "14"),
        ("calc", r#"{"expression":"1+1"}"#, "2"),
        ("calc", r#""{\"expression\":\"1+1\"}""#, "2"),
        ("calc", "7", "7"),
        ("calc", r#""10 - 2 - 3""#, "5"),
        ("calc", r#""100 / 10 / 5""#, "2"),
        ("calc", r#""-2 ^ 2""#, "-4"),
        ("calc", r#""(-2) ** 2""#, "4"),
        ("calc", r#""2 ^ 3 ^ 2""#, "512"),
        ("calc", r#""2 ^ -1 * 4""#, "2"),
        ("calc", r#""2 * -3""#, "-6"),
        ("calc", r#""--2 - +2""#, "0"),
        ("calc", r#""7 % 3 + -7 % 3""#, "0"),
        ("calc", r#""7.5 % 2""#, "1.5"),
        ("calc", r#""1/3*3""#, "1"),
        ("calc", r#""6 ÷ 4 × 2 − 1""#, "2"),
        ("calc", r#""0.1 + 0.2""#, "0.30000000000000004"),
        ("calc", r#""1.5e3 + 1E-1""#, "1500.1"),
        ("calc", r#""2 ^ 0.5""#, "1.4142135623730951"),
        ("calc", r#""2^100""#, "1267650600228229401496703205376"),
        (
            "calc",
            r#""(-1) ^ 99999999999999999999999999999999999999999""#,
            "-1",
        ),
        ("calc", r#""0 ^ 0""#, "1"),
        ("calc", "\"1 +\\n\\t2\"", "3"),
    ]);
}

#[test]
fn calc_is_bounded_and_says_where_it_is_wrong() {
    let deep = line(&format!(
        "{}1{}",
        "(".repeat(100_000 / 4),
        ")".repeat(100_000 / 4)
    ));
    let minuses = line(&format!("{}1", "-".repeat(60_000)));
    rejects(&[
        ("calc", r#""2 +""#, "ends too early"),
        ("calc", r#""""#, "ends too early"),
        ("calc", r#""(2""#, "\")\" is missing"),
        ("calc", r#""2)""#, "unexpected \")\" at character 2"),
        (
            "calc",
            r#""año + 1""#,
            "unexpected \"año + 1\" at character 1",
        ),
        ("calc", r#""2 3""#, "unexpected \"3\" at character 3"),
        ("calc", r#""1.2.3""#, "\"1.2.3\" is not a number"),
        ("calc", r#""1 / (2 - 2)""#, "division by zero"),
        ("calc", r#""1 % 0""#, "division by zero"),
        ("calc", r#""0 ^ -1""#, "division by zero"),
        ("calc", r#""(-8) ^ 0.5""#, "not a real number"),
        ("calc", r#""9^9^9^9""#, "too large"),
        ("calc", r#""10^10000""#, "too large"),
        ("calc", r#""2 ^ 99999999999999999999999""#, "too large"),
        ("calc", &deep, "nested too deeply"),
        ("calc", &minuses, "nested too deeply"),
        ("calc", &line(&"1+".repeat(40_000)), "longer than 64 KiB"),
        ("calc", "[1]", "a list is not a text"),
    ]);
    assert_eq!(run("calc", r#""10^9999""#).unwrap().len(), 10_000);
    assert_eq!(
        run("calc", &line(&format!("0{}", "+1".repeat(30_000)))).unwrap(),
        "30000"
    );
}

#[test]
fn texts_are_taken_as_they_were_written() {
    gives(&[
        (
            "procesar",
            r#""datos""#,
            r#""Resultado de 'procesar datos' procesado correctamente.""#,
        ),
        (
            "procesar",
            r#""""#,
            r#""Resultado de 'procesar' procesado correctamente.""#,
        ),
        (
            "procesar",
            r#"{"text":"año"}"#,
            r#""Resultado de 'procesar año' procesado correctamente.""#,
        ),
        (
            "wordcount",
            r#""to be or not""#,
            r#"{"lines":1,"words":4,"characters":12,"bytes":12}"#,
        ),
        (
            "wordcount",
            r#""""#,
            r#"{"lines":0,"words":0,"characters":0,"bytes":0}"#,
        ),
        (
            "wordcount",
            r#""año\nnuevo 🎉\n""#,
            r#"{"lines":2,"words":3,"characters":12,"bytes":16}"#,
        ),
        (
            "wordcount",
            r#"{"texto":"a b"}"#,
            r#"{"lines":1,"words":2,"characters":3,"bytes":3}"#,
        ),
        (
            "sha256",
            r#""""#,
            r#""e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855""#,
        ),
        (
            "sha256",
            r#""abc""#,
            r#""ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad""#,
        ),
    ]);
    rejects(&[
        ("wordcount", "5", "a number is not a text"),
        ("sha256", "{}", "\"text\" is missing"),
        ("procesar", r#"{"text":5}"#, "is not a text"),
    ]);
}

#[test]
fn text_makes_as_many_bytes_as_asked() {
    for (kind, payload, bytes) in [
        ("text", r#"{"bytes":1000}"#, 1000),
        ("texto", r#""2097155""#, 2_097_155),
        ("text", "0", 0),
    ] {
        let made: String = serde_json::from_str(&run(kind, payload).unwrap()).unwrap();
        assert_eq!(made.len(), bytes);
        assert!(bytes == 0 || made.starts_with("the quick"));
    }
    rejects(&[
        ("text", "67108865", "64 MiB"),
        ("text", "-1", "not a length"),
        ("text", "1.5", "not a length"),
    ]);
}

#[test]
fn primes_are_counted() {
    let counts = [
        (0, 0),
        (1, 0),
        (2, 1),
        (3, 2),
        (4, 2),
        (9, 4),
        (10, 4),
        (100, 25),
        (65_536, 6542),
        (65_537, 6543),
        (131_071, 12_251),
        (1_000_000, 78_498),
        (5_000_000, 348_513),
    ];
    for (to, expected) in counts {
        assert_eq!(
            run("primes", &format!("{{\"to\":{to}}}")).unwrap(),
            expected.to_string(),
            "{to}"
        );
    }
    gives(&[("primes", r#""100""#, "25"), ("primes", "-5", "0")]);
    rejects(&[
        ("primes", "10000000001", "at most 10000000000"),
        ("primes", "2.5", "not a limit"),
        ("primes", r#""many""#, "not a number"),
    ]);
}

#[test]
fn sleep_gives_its_milliseconds_and_ends_when_cancelled() {
    gives(&[
        ("sleep", r#"{"ms":3}"#, "3"),
        ("sleep", r#""2""#, "2"),
        ("sleep", "0", "0"),
    ]);
    rejects(&[
        ("sleep", "-1", "not a time"),
        ("sleep", "0.5", "not a time"),
        ("sleep", "86400001", "at most a day"),
    ]);
    let cancel = CancelHandle::new();
    cancel.cancel();
    for (kind, payload) in [
        ("sleep", "60000"),
        ("primes", "10000000000"),
        ("text", "67108864"),
    ] {
        let context = Context::detached(kind).with_cancel(cancel.clone());
        assert_eq!(
            run_in(&context, payload).unwrap_err().message,
            "the task was cancelled"
        );
    }
}

#[test]
fn fail_fails_as_asked() {
    let at = |attempt, payload| run_in(&Context::detached("fail").with_attempt(attempt), payload);
    let error = at(1, r#""on purpose""#).unwrap_err();
    assert_eq!(
        (error.message.as_str(), error.retryable),
        ("on purpose", true)
    );
    assert_eq!(
        at(1, r#""""#).unwrap_err().message,
        "this task was asked to fail"
    );
    assert!(at(9, "{}").unwrap_err().retryable);
    assert!(!at(1, r#"{"retryable":false}"#).unwrap_err().retryable);
    for payload in [r#"{"times":2}"#, r#""{\"times\":2}""#] {
        assert!(at(2, payload).is_err());
        assert_eq!(at(3, payload).unwrap(), r#""succeeded at attempt 3""#);
    }
    rejects(&[
        ("fail", r#"{"time":2}"#, "unknown field `time`"),
        ("fail", r#"{"times":-2}"#, "invalid value"),
        ("fail", "7", "a number is not a text"),
    ]);
}

#[test]
fn every_kind_is_described_and_its_examples_work() {
    let registry = Registry::with_builtins();
    let kinds = registry.kinds();
    assert_eq!(kinds.len(), 19);
    for kind in kinds {
        assert!(
            !kind.description.is_empty() && !kind.description_es.is_empty(),
            "{}",
            kind.name
        );
        let (name, rest) = kind.example_text.split_once(' ').unwrap();
        assert_eq!(name, kind.name);
        let mut json: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&kind.example_json).unwrap();
        assert_eq!(json.remove("op").unwrap(), kind.name.as_str());
        for payload in [line(rest), serde_json::to_string(&json).unwrap()] {
            let result = run_in(&Context::detached(name), &payload);
            assert_eq!(result.is_ok(), name != "fail", "{name} {payload}");
        }
    }
}

#[test]
fn a_cancelled_sleep_does_not_wait() {
    let cancel = CancelHandle::new();
    let context = Context::detached("sleep").with_cancel(cancel.clone());
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| context.sleep(Duration::from_secs(60)));
        cancel.cancel();
        assert!(sleeper.join().unwrap().is_err());
    });
}
