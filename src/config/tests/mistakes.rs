//! What is said of mistakes: in the file, in numbers, and in the names of variables.

use super::*;

#[test]
fn a_mistake_in_the_file_names_its_option_and_what_was_expected() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stepwire.toml");
    for (text, part) in [
        (
            "rate-burst = \"many\"",
            "for `rate-burst` there is the text \"many\" instead of a whole number of at least 0 \
            (line 1)",
        ),
        (
            "\nrate-burst = -1",
            "for `rate-burst` there is the number -1 instead of a whole number of at least 0 \
            (line 2)",
        ),
        (
            "allowed-origins = \"https://a.example\"",
            "for `allowed-origins` there is the text \"https://a.example\" instead of a list",
        ),
        (
            "rate-brst = 5",
            "`rate-brst` is not one: write `rate-burst`",
        ),
        ("store = \"disk\"", "for `store`: unknown variant `disk`"),
        ("listen = ", "for `listen`: string values must be quoted"),
    ] {
        fs::write(&path, text).unwrap();
        let error = load(&["--config", path.to_str().unwrap()]).err().unwrap();
        assert!(error.to_string().contains(part), "{error}");
    }
    let error = load(&["--rate-burst", "many"]).err().unwrap();
    assert!(
        error
            .to_string()
            .contains("expected a whole number of at least 0"),
        "{error}"
    );
}

#[test]
fn a_mistake_in_the_file_shows_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stepwire.toml");
    for (text, option) in [
        ("jwt-secret = 4711471147114711", "jwt-secret"),
        ("webhook-secret = [4711]", "webhook-secret"),
        ("otlp-headers = [\n  \"a=b\",\n  4711,\n]", "otlp-headers"),
        ("[secrets]\nAPI = 4711", "API"),
        ("secrets.API = 4711", "secrets.API"),
        ("secrets = { API = 4711 }", "secrets"),
    ] {
        fs::write(&path, text).unwrap();
        let error = load(&["--config", path.to_str().unwrap()]).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains(&format!(
                "for `{option}` there is something else than a text"
            )),
            "{error}"
        );
        assert!(!error.contains("4711"), "{error}");
    }
}

#[test]
fn numbers_have_bounds() {
    let huge = usize::MAX.to_string();
    for (option, least, most) in [
        ("workers", "1", "1024"),
        ("max-connections", "1", "10000000"),
        ("max-body-memory", "16", "1048576"),
        ("max-instance-memory", "1", "1048576"),
    ] {
        let flag = format!("--{option}");
        for (given, bound) in [
            ("0", format!("at least {least}")),
            (&huge, format!("at most {most}")),
        ] {
            let error = load(&[&flag, given]).unwrap_err().to_string();
            let words = format!("expected {option} to be {bound}");
            assert!(
                error.starts_with(&words) && error.contains(given),
                "{error}"
            );
        }
        assert!(load(&[&flag, most]).is_ok());
    }
    for (given, words) in [
        (
            "99999999999999999999",
            "it is too large: write a smaller number",
        ),
        ("-1", "expected a whole number of at least 0"),
    ] {
        let error = load(&[&format!("--rate-burst={given}")]).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let error = load(&["--otlp-sample", "half"]).unwrap_err().to_string();
    assert!(
        error.contains("expected a part from 0 to 1, such as 0.1"),
        "{error}"
    );
}

#[test]
fn mistyped_variables_are_found_with_what_was_meant() {
    let names = [
        "STEPWIRE_RATE_BRST",
        "STEPWIRE_RATE_BURST",
        "STEPWIRE_SECRET_RATE",
        "STEPWIRE_PORT_8000_TCP_ADDR",
        "STEPWIRE_SEVER",
        "PATH",
    ];
    assert_eq!(
        mistyped_variables(names.map(str::to_owned)),
        [
            ("STEPWIRE_RATE_BRST", "STEPWIRE_RATE_BURST"),
            ("STEPWIRE_SEVER", "STEPWIRE_SERVER"),
        ]
        .map(|(name, near)| (name.to_owned(), near.to_owned()))
    );
}
