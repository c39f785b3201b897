use super::*;

fn targets(list: &[&str]) -> Targets {
    Targets::parse(
        &list
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>(),
    )
    .unwrap()
}

/// The result for a URL: unreadable, refused, or allowed at which addresses. A name that is allowed
/// here is checked again when it is resolved.
fn verdict(targets: &Targets, url: &str) -> Result<Reach, RefusedTarget> {
    targets.check(
        &Url::parse(url)
            .map_err(|error| RefusedTarget(format!("expected an address, but {error}")))?,
    )
}

/// Spellings of this machine, its network, or a cloud's metadata service.
const PRIVATE: &[&str] = &[
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.000.000.001",
    "0177.0.0.1",
    "0177.0.0.01",
    "017700000001",
    "0x7f.0.0.1",
    "0x7F000001",
    "0x7f.1",
    "0X7F.0X1",
    "2130706433",
    "127.0.0.1.",
    "0x7f000001.",
    "127.255.255.254",
    "127%2e0%2e0%2e1",
    "%31%32%37.0.0.1",
    "127。0。0。1",
    "127．0．0．1",
    "127｡0｡0｡1",
    "１２７.0.0.1",
    "①②⑦.⓪.⓪.①",
    "0.0.0.0",
    "0",
    "0x0",
    "00",
    "0.1.2.3",
    "10.0.0.1",
    "10.1",
    "012.0.0.1",
    "0xa.0.0.1",
    "167772161",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "0254.020.0.1",
    "192.168.0.1",
    "192.168.1",
    "0xc0a80001",
    "3232235521",
    "0300.0250.0.1",
    "169.254.169.254",
    "169.254.43518",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "0xA9.0xFE.0xA9.0xFE",
    "169.254.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.7",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:127.0.0.1]",
    "[::FFFF:7F00:0001]",
    "[::ffff:10.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:8.8.8.8]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::8.8.8.8]",
    "[64:ff9b:1::a00:1]",
    "[2002:7f00:1::]",
    "[2002:a00:1::1]",
    "[2002:808:808::1]",
    "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fdff:ffff::1]",
    "[fe80::1]",
    "[febf::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[ff0e::1]",
    "[100::1]",
    "[5f00::1]",
    "[4000::1]",
    "[fe80::1%25eth0]",
    "[::1",
    "[127.0.0.1]",
    "256.0.0.1",
    "1.2.3.4.5",
    "0x100000000",
    "127.0.0.09",
    "0x7f.0x0.0x0.0x1",
];

#[test]
fn no_spelling_of_a_private_address_is_allowed() {
    assert!(PRIVATE.len() >= 100, "{}", PRIVATE.len());
    for list in [
        &["*"][..],
        &["*", "*.example.com", "api.example.com", "9.9.0.0/16"],
    ] {
        let targets = targets(list);
        for host in PRIVATE {
            for url in [
                format!("http://{host}/"),
                format!("https://{host}:8443/x"),
                format!("HTTP:\\\\{host}\\x"),
            ] {
                assert!(verdict(&targets, &url).is_err(), "{url} with {list:?}");
            }
        }
    }
}

#[test]
fn no_malformed_url_bypasses_the_allow_list() {
    let targets = targets(&["api.example.com", "*.example.org"]);
    for url in [
        "http://api.example.com@127.0.0.1/",
        "http://api.example.com:80@127.0.0.1/",
        "http://127.0.0.1@api.example.com/",
        "http://ada:pw@api.example.com/",
        "http://@api.example.com.evil.example/",
        "http://127.0.0.1#@api.example.com/",
        "http://127.0.0.1?@api.example.com/",
        "http://127.0.0.1\\@api.example.com/",
        "http://evil.example/api.example.com",
        "http://evil.example\\api.example.com",
        "http://evil.example%2Fapi.example.com/",
        "http://evil.example%00api.example.com/",
        "http://api.example.com%00.evil.example/",
        "http://api.example.com.evil.example/",
        "http://xapi.example.com/",
        "http://x.api.example.com/",
        "http://example.org/",
        "http://.example.org/",
        "http://evilexample.org/",
        "http://x.example.org.evil.example/",
        "http://x.example.org@evil.example/",
        "ftp://api.example.com/",
        "file:///etc/passwd",
        "gopher://api.example.com/",
        "data:text/plain,x",
        "unix:/run/x.sock",
        "http:///",
        "//api.example.com/",
    ] {
        assert!(verdict(&targets, url).is_err(), "{url}");
    }
    for (url, reach) in [
        ("http://api.example.com/", Reach::Anywhere),
        ("http://API.Example.COM./", Reach::Anywhere),
        ("http://api.example.com:8443/", Reach::Anywhere),
        ("http://x.example.org/", Reach::Public),
        ("http://x.y.EXAMPLE.org/", Reach::Public),
    ] {
        assert_eq!(verdict(&targets, url), Ok(reach), "{url}");
    }
}

#[test]
fn nothing_is_allowed_by_default() {
    let nothing = Targets::default();
    for url in [
        "http://api.example.com/",
        "https://8.8.8.8/",
        "http://localhost/",
    ] {
        let RefusedTarget(sentence) = verdict(&nothing, url).unwrap_err();
        assert!(sentence.contains("--outbound-targets"), "{sentence}");
    }
}

#[test]
fn only_listed_targets_are_allowed() {
    let check = |list: &[&str], url: &str, allowed: bool| {
        assert_eq!(
            verdict(&targets(list), url).is_ok(),
            allowed,
            "{list:?} {url}"
        );
    };
    check(&["*"], "https://8.8.8.8/", true);
    check(&["*"], "https://[2606:4700::1111]/", true);
    check(&["127.0.0.1"], "http://127.0.0.1:9000/", true);
    check(&["127.0.0.1"], "http://0x7f.1/", true);
    check(&["127.0.0.1"], "http://127.0.0.2/", false);
    check(&["127.0.0.1:8080"], "http://127.0.0.1:8080/", true);
    check(&["127.0.0.1:8080"], "http://127.0.0.1:8081/", false);
    check(&["[::1]:8080"], "http://[0::1]:8080/", true);
    check(&["[::1]:8080"], "http://[::1]/", false);
    check(&["::1"], "http://[::1]/", true);
    check(&["10.0.0.0/8"], "http://10.9.8.7/", true);
    check(&["10.1.2.3/8"], "http://10.9.8.7/", true);
    check(&["10.0.0.0/8"], "http://[::ffff:10.9.8.7]/", true);
    check(&["10.0.0.0/8"], "http://8.8.8.8/", false);
    check(&["api.example.com:443"], "https://api.example.com/", true);
    check(&["api.example.com:443"], "http://api.example.com/", false);
    check(&["API.EXAMPLE.COM."], "https://api.example.com/", true);
    check(
        &["münchen.example"],
        "https://xn--mnchen-3ya.example/",
        true,
    );
    check(&["*.example.com:443"], "https://x.example.com/", true);
    check(&["*.example.com:443"], "http://x.example.com/", false);
}

#[test]
fn a_host_name_resolves_to_allowed_addresses_only() {
    let targets = targets(&["inner.example.com", "*.example.org", "10.0.0.0/8"]);
    let leads = |url: &str, address: &str| {
        let reach = verdict(&targets, url).unwrap();
        targets
            .check_address(reach, "host", address.parse().unwrap())
            .is_ok()
    };
    assert!(
        leads("http://inner.example.com/", "192.168.0.1"),
        "an exact host is trusted wherever it leads"
    );
    assert!(
        leads("http://x.example.org/", "8.8.8.8") && leads("http://x.example.org/", "10.0.0.1")
    );
    assert!(
        !leads("http://x.example.org/", "192.168.0.1")
            && !leads("http://x.example.org/", "::ffff:192.168.0.1")
    );
    assert!(
        leads("http://other.example/", "10.0.0.1") && !leads("http://other.example/", "8.8.8.8")
    );
}

#[test]
fn an_entry_that_cannot_be_read_is_named() {
    for bad in [
        "https://api.example.com",
        "api.example.com/x",
        "ada@api",
        "*.*.example",
        "*.10.0.0.1",
        "a b",
        "10.0.0.0/33",
        "x:99999",
        "x:y",
        "**",
        "*x",
        "x:",
        "%61.example",
        "[::1",
        "*.",
    ] {
        let error = Targets::parse(&[bad.to_owned()]).unwrap_err();
        assert!(
            error.starts_with("expected outbound-targets") && error.contains(bad),
            "{error}"
        );
    }
    assert!(
        Targets::parse(&[String::new(), " ".to_owned()])
            .unwrap()
            .is_empty()
    );
}
