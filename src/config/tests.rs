use clap::CommandFactory;

use super::*;

mod mistakes;

fn load(arguments: &[&str]) -> Result<(Config, ProgramCommand), ConfigError> {
    let line = CommandLine::read(
        [&["stepwire"], arguments]
            .concat()
            .into_iter()
            .map(OsString::from),
    );
    let (line, given) = line.map_err(|error| ConfigError(error.to_string()))?;
    resolve(line, given)
}

#[test]
fn every_option_has_its_flag_variable_and_key() {
    let command = CommandLine::command();
    let flags: Vec<_> = command
        .get_arguments()
        .filter_map(|arg| Some((arg.get_long()?, arg.get_env())))
        .collect();
    assert!(flags.len() > 15);
    for (flag, variable) in flags {
        let expected = format!("STEPWIRE_{}", flag.to_uppercase().replace('-', "_"));
        assert_eq!(
            variable.and_then(|name| name.to_str()),
            Some(expected.as_str())
        );
        let unknown = toml::from_str::<Options>(&format!("{flag} = {{}}"))
            .err()
            .unwrap()
            .to_string();
        assert_eq!(
            unknown.contains("unknown field"),
            flag == "config",
            "{flag}: {unknown}"
        );
    }
}

#[test]
fn the_defaults_are_for_development() {
    let (config, command) = load(&[]).unwrap();
    assert_eq!(command, ProgramCommand::Serve);
    assert_eq!(config.listen, ["127.0.0.1:8000".parse().unwrap()]);
    assert_eq!(
        (config.limits, config.store, config.examples),
        (Limits::default(), StoreKind::Sqlite, true)
    );
    assert_eq!(
        config.jwt_secret,
        JwtSecret::Generated("stepwire-data/jwt-secret".into())
    );
}

#[test]
fn a_flag_goes_before_the_file_and_the_file_before_the_default() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stepwire.toml");
    let text = "rate-burst = 7\nrate-per-second = 0\nallowed-origins = \
        [\"https://a.example\"]\ntest-clock = true\n";
    fs::write(&path, text).unwrap();
    let (config, _) = load(&["--config", path.to_str().unwrap(), "--rate-burst", "9"]).unwrap();
    assert_eq!(
        (config.limits.rate_burst, config.limits.rate_per_second),
        (9, 0)
    );
    assert_eq!(config.limits.max_connections_per_user, 256);
    assert!(
        config
            .allowed_origins
            .allow_with_cookie("https://a.example", "localhost:8000", false)
    );
    assert!(config.test_clock);

    fs::write(&path, "\u{feff}rate-burst = 8").unwrap();
    assert_eq!(
        load(&["--config", path.to_str().unwrap()])
            .unwrap()
            .0
            .limits
            .rate_burst,
        8
    );
    fs::write(&path, b"\xff\xfer\0").unwrap();
    assert!(
        load(&["--config", path.to_str().unwrap()])
            .unwrap_err()
            .to_string()
            .contains("UTF-16")
    );
    fs::write(&path, "rate-brust = 7").unwrap();
    let error = load(&["--config", path.to_str().unwrap()])
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("expected ") && error.contains("rate-brust"),
        "{error}"
    );
    fs::write(&path, "workers = 2\njwt-secret = hush").unwrap();
    let error = load(&["--config", path.to_str().unwrap()])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("(line 2)") && !error.contains("hush"),
        "{error}"
    );
}

#[test]
fn the_token_command_is_parsed() {
    let (config, command) = load(&[
        "token", "--sub", "alice", "--role", "admin", "--role", "clerk", "--data", "d",
    ])
    .unwrap();
    let hour = std::time::Duration::from_secs(3600);
    let roles = vec!["admin".into(), "clerk".into()];
    assert_eq!(
        command,
        ProgramCommand::Token(TokenRequest {
            sub: "alice".into(),
            roles,
            tenant: "default".into(),
            ttl: hour
        })
    );
    assert_eq!(config.data, Path::new("d"));
    let ttl = |text: &str| match load(&["token", "--sub", "alice", "--ttl", text]) {
        Ok((_, ProgramCommand::Token(request))) => Ok(request.ttl.as_secs() / 3600),
        Ok((_, other)) => panic!("{other:?}"),
        Err(error) => Err(error.to_string()),
    };
    for (text, hours) in [
        ("P1D", 24),
        ("P1W", 168),
        ("P1DT2H", 26),
        ("PT24H", 24),
        ("24h", 24),
        ("1d", 24),
    ] {
        assert_eq!(ttl(text), Ok(hours), "{text}");
    }
    for (text, why) in [
        ("-PT1H", "negative"),
        ("P1M", "differ in length"),
        ("PT0S", "zero"),
        ("soon", "cannot be read"),
    ] {
        let error = ttl(text).expect_err(text);
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn tokens_of_an_issuer_need_its_keys() {
    use JwtAlgorithm::{EdDsa, Es256, Rs256};
    let (config, _) = load(&["--jwt-jwks", "keys.json"]).unwrap();
    assert_eq!(
        (config.jwt_jwks, config.jwt_algorithms),
        (
            Some(KeySource::File("keys.json".into())),
            vec![Rs256, Es256, EdDsa]
        )
    );
    let (config, _) =
        load(&["--jwt-jwks", "keys.json", "--jwt-algorithms", "EdDSA,ES256"]).unwrap();
    assert_eq!(config.jwt_algorithms, [EdDsa, Es256]);
    for bad in [
        &["--jwt-algorithms", "RS256"][..],
        &["--jwt-jwks", "k", "--jwt-algorithms", "HS256"],
        &["--jwt-jwks", "k", "--jwt-algorithms", "none"],
        &["--jwt-jwks", "http://id.example/keys"],
    ] {
        assert!(load(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn users_are_changed_with_a_password_from_standard_input() {
    let (config, command) = load(&[
        "user",
        "add",
        "ada",
        "--role",
        "x",
        "--password-stdin",
        "--data",
        "d",
    ])
    .unwrap();
    let ProgramCommand::User(UserCommand::Add(add)) = command else {
        panic!("{command:?}")
    };
    assert_eq!(
        (&*add.user.name, &*add.user.tenant, &add.roles[..]),
        ("ada", "default", &["x".to_owned()][..])
    );
    assert_eq!(config.data, Path::new("d"));
    for bad in [
        &["user"][..],
        &["user", "add", "ada"],
        &["user", "add", "ada", "--password", "x"],
        &["user", "passwd", "ada"],
        &["user", "role", "ada"],
        &["user", "role", "ada", "--role", "x", "--no-role"],
        &["user", "revoke"],
    ] {
        assert!(load(bad).is_err(), "{bad:?}");
    }
    assert!(load(&["user", "role", "ada", "--no-role"]).is_ok());
}

#[test]
fn production_refuses_development_settings() {
    let secret = "0123456789abcdef0123456789abcdef";
    let origins = ["--allowed-origins", "https://a.example,https://b.example"];
    let good = [
        &[
            "--production",
            "--jwt-secret",
            secret,
            "--webhook-secret",
            secret,
        ][..],
        &origins,
    ]
    .concat();
    let (config, _) = load(&good).unwrap();
    assert!(config.production);
    let pages = |origin| {
        config
            .allowed_origins
            .allow(Some(origin), "stepwire.example", true)
    };
    assert!(
        pages("https://stepwire.example")
            && pages("https://b.example")
            && !pages("http://localhost:5173")
    );
    for (bad, named) in [
        (
            &[
                "--production",
                "--jwt-secret",
                secret,
                "--webhook-secret",
                secret,
            ][..],
            "allowed-origins",
        ),
        (&[&good[..3], &origins].concat(), "webhook-secret"),
        (&[&good[..1], &good[3..]].concat(), "jwt-secret"),
        (&[&good[..], &["--test-clock"]].concat(), "test-clock"),
        (
            &[&good[..], &["--trusted-proxies", "10.0.0.0/8,::/0"]].concat(),
            "trusted-proxies",
        ),
    ] {
        let error = load(bad).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("expected {named} ")) && error.contains("in production"),
            "{bad:?}: {error}"
        );
        let variable = format!("STEPWIRE_{}", named.to_uppercase().replace('-', "_"));
        for way in [
            variable,
            format!("--{named}"),
            format!("{named} in the TOML file"),
        ] {
            assert!(error.contains(&way), "expected {way} in {error}");
        }
    }
}

#[test]
fn all_configuration_errors_are_reported_at_once() {
    let bad = [
        "--production",
        "--jwt-secret",
        "hush-hush",
        "--allowed-origins",
        "*",
        "--test-clock",
        "--workers",
        "0",
    ];
    let error = load(&bad).unwrap_err().to_string();
    assert!(
        error.starts_with(
            "expected options that are fit for production, but 5 are not:\n  - expected "
        ),
        "{error}"
    );
    for named in [
        "jwt-secret",
        "webhook-secret",
        "allowed-origins",
        "test-clock",
        "workers",
    ] {
        assert!(
            error.contains(&format!("\n  - expected {named} ")),
            "{named}: {error}"
        );
    }
    assert!(!error.contains("hush-hush"), "{error}");
    let error = load(&["--listen", "8000", "--trusted-proxies", "proxy.example"])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("\n  - expected listen ")
            && error.contains("\n  - expected trusted-proxies "),
        "{error}"
    );
}

#[test]
fn production_has_no_examples_and_prints_no_link_unless_asked() {
    let secret = "0123456789abcdef0123456789abcdef";
    let good = [
        "--production",
        "--jwt-secret",
        secret,
        "--webhook-secret",
        secret,
        "--allowed-origins",
        "https://a.example",
    ];
    let of = |more: &[&str]| {
        load(&[&good[..], more].concat()).map(|(config, _)| (config.examples, config.sign_in_link))
    };
    assert_eq!(of(&[]).unwrap(), (false, false));
    assert_eq!(
        of(&["--no-examples=false", "--sign-in-link"]).unwrap(),
        (true, true)
    );
    let (config, _) = load(&[
        "--sign-in-link=false",
        "--log-format",
        "json",
        "--access-log",
    ])
    .unwrap();
    assert_eq!((config.examples, config.sign_in_link), (true, false));
    assert_eq!(
        (config.log_format, config.access_log),
        (LogFormat::Json, true)
    );
}

#[test]
fn unusable_values_are_refused() {
    for bad in [
        &["--listen", "8000"][..],
        &["--workers", "0"],
        &["--jwt-secret", ""],
        &["--store", "disk"],
        &["serve"],
    ] {
        assert!(load(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn every_option_reports_value_and_source_but_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stepwire.toml");
    let text = "rate-burst = 7\nrate-per-second = 3\nallowed-origins = \
                [\"https://a.example\", \"https://b.example\"]\n[secrets]\nAPI = \"hush-file\"\n";
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let flags = ["--config", path, "--rate-burst", "9", "--jwt-secret"];
    let (config, _) = load(&[&flags[..], &["hush-flag", "--test-clock"]].concat()).unwrap();
    let reported = |name: &str| {
        let found = config.settings.iter().find(|setting| setting.name == name);
        let Setting { value, source, .. } = found.unwrap_or_else(|| panic!("no {name}"));
        (value.clone(), *source)
    };
    let is = |value: &str, source| (Some(value.to_owned()), source);
    use SettingSource::{CommandLine as Flag, Default, File};
    assert_eq!(reported("rate-burst"), is("9", Flag));
    assert_eq!(reported("rate-per-second"), is("3", File));
    let origins = "https://a.example,https://b.example";
    assert_eq!(reported("allowed-origins"), is(origins, File));
    assert_eq!(reported("test-clock"), is("true", Flag));
    assert_eq!(reported("config"), is(path, Flag));
    assert_eq!(reported("user-bytes"), is("16MiB:128MiB", Default));
    assert_eq!(
        reported("workers"),
        is(&config.workers.to_string(), Default)
    );
    assert_eq!(reported("no-examples"), is("false", Default));
    assert_eq!(reported("deploy"), (None, Default));
    assert_eq!(reported("jwt-secret"), (None, Flag));
    let generated = is("generated into the data directory", Default);
    assert_eq!(reported("webhook-secret"), generated);
    assert_eq!(reported("secrets"), is("API", File));
    let shown = format!("{:?}", config.settings);
    assert!(!shown.contains("hush"), "{shown}");
    for arg in CommandLine::command().get_arguments() {
        if let Some(flag) = arg
            .get_long()
            .filter(|flag| !["help", "version"].contains(flag))
        {
            reported(flag);
        }
    }
}
