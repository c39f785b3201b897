//! Keys by URL from a small server on this machine: rotation, floods of bad tokens, and unusable
//! responses.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use jsonwebtoken::Algorithm;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::yield_now,
};

use super::*;
use crate::{
    model::ids::Time,
    session::auth::{
        issuer_keys::tests::{Signer, claims, set},
        token::{TokenSettings, Tokens},
    },
};

const HOUR: Duration = Duration::from_secs(3600);
const NOW: Time = Time(1_800_000_000_000);

/// The issuer's server: its present response, and how often it was asked.
struct Issuer {
    port: u16,
    answer: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
    tokens: Tokens,
    keys: Arc<IssuerKeys>,
}

impl Issuer {
    async fn with(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (answer, asked) = (Arc::new(Mutex::new(answer)), Arc::new(AtomicUsize::new(0)));
        let (sent, count) = (answer.clone(), asked.clone());
        tokio::spawn(async move {
            while let Ok((mut peer, _)) = listener.accept().await {
                let mut head = [0; 4096];
                let _ = peer.read(&mut head).await;
                count.fetch_add(1, Ordering::SeqCst);
                let text = sent.lock().unwrap().clone();
                let _ = peer.write_all(text.as_bytes()).await;
            }
        });
        let keys = Arc::new(IssuerKeys::by_address(vec![Algorithm::EdDSA]));
        let settings = TokenSettings {
            secret: "unused".into(),
            issuer: None,
            audience: None,
        };
        Self {
            port,
            answer,
            asked,
            tokens: Tokens::new(settings).with_issuer(keys.clone()),
            keys,
        }
    }

    fn address(&self) -> KeyAddress {
        KeyAddress::new(
            format!("http://127.0.0.1:{}/keys?hush", self.port)
                .parse()
                .unwrap(),
        )
        .unwrap()
    }

    fn answers(&self, answer: String) {
        *self.answer.lock().unwrap() = answer;
    }

    fn accepts(&self, token: &str) -> bool {
        self.tokens.verify(token, NOW).is_ok()
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn signer(kid: &str) -> (Signer, String) {
    let signer = Signer::new(Algorithm::EdDSA, Some(kid));
    let token = signer.token(Some(kid), &claims());
    (signer, token)
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it() {
    let ((first, old), (second, new)) = (signer("1"), signer("2"));
    let issuer = Issuer::with(ok(&set(&[&first]))).await;
    assert!(!issuer.accepts(&old), "nothing was fetched yet");
    assert!(issuer.address().refresh(&issuer.keys).await);
    assert!(issuer.accepts(&old));
    let pace = FetchPace {
        least: Duration::from_millis(1),
        age: HOUR,
    };
    let fetching = tokio::spawn(issuer.address().keep_fresh(issuer.keys.clone(), pace));
    issuer.answers(ok(&set(&[&second])));
    while !issuer.accepts(&new) {
        yield_now().await;
    }
    assert!(!issuer.accepts(&old), "taken out of the set");
    fetching.abort();
}

#[tokio::test]
async fn keys_are_refetched_by_age() {
    let ((first, _), (second, new)) = (signer("1"), signer("2"));
    let issuer = Issuer::with(ok(&set(&[&first]))).await;
    assert!(issuer.address().refresh(&issuer.keys).await);
    let pace = FetchPace {
        least: Duration::from_millis(1),
        age: Duration::from_millis(1),
    };
    let fetching = tokio::spawn(issuer.address().keep_fresh(issuer.keys.clone(), pace));
    issuer.answers(ok(&set(&[&first, &second])));
    let asked = issuer.asked();
    // No token is sent meanwhile.
    while issuer.asked() < asked + 2 {
        yield_now().await;
    }
    assert!(issuer.accepts(&new));
    fetching.abort();
}

#[tokio::test]
async fn a_flood_of_bad_tokens_causes_few_key_requests() {
    let ((first, _), (_, stranger)) = (signer("1"), signer("9"));
    let issuer = Issuer::with(ok(&set(&[&first]))).await;
    assert!(issuer.address().refresh(&issuer.keys).await);
    let fetching = tokio::spawn(issuer.address().keep_fresh(
        issuer.keys.clone(),
        FetchPace {
            least: HOUR,
            age: HOUR,
        },
    ));
    for _ in 0..500 {
        assert!(!issuer.accepts(&stranger));
        yield_now().await;
    }
    assert_eq!(issuer.asked(), 1);
    fetching.abort();
}

#[tokio::test]
async fn an_invalid_key_response_keeps_the_former_keys() {
    let (first, token) = signer("1");
    let issuer = Issuer::with(ok(&set(&[&first]))).await;
    let address = issuer.address();
    assert!(address.refresh(&issuer.keys).await);
    let elsewhere = Issuer::with(ok(r#"{"keys":[]}"#)).await;
    let redirect = |to: String| {
        format!(
            "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
    };
    for bad in [
        ok(""),
        ok("<html>"),
        ok(r#"{"keys":[]}"#),
        ok(r#"{"keys":[{"kty":"oct","k":"c2VjcmV0","alg":"HS256"}]}"#),
        ok(&format!(
            "{}{}",
            set(&[&first]),
            " ".repeat(limits::REST_BODY_BYTES.get())
        )),
        ok("\u{1}")
            .replace('\u{1}', "x")
            .replace("Length: 1", "Length: 100"),
        "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(),
        redirect(format!("http://127.0.0.1:{}/keys", elsewhere.port)),
        redirect("/keys".to_owned()),
        "nonsense\r\n\r\n".to_owned(),
        String::new(),
    ] {
        issuer.answers(bad.clone());
        assert!(!address.refresh(&issuer.keys).await, "{bad:.200}");
        assert!(issuer.accepts(&token), "the former keys stay: {bad:.200}");
    }
    assert_eq!(elsewhere.asked(), 0, "another place was not asked");
}

#[tokio::test]
async fn tokens_are_refused_until_keys_are_fetched() {
    let (first, token) = signer("1");
    let issuer = Issuer::with(ok(&set(&[&first]))).await;
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let nowhere = KeyAddress::new(format!("http://{closed}/keys").parse().unwrap()).unwrap();
    assert!(!nowhere.refresh(&issuer.keys).await);
    assert!(!issuer.accepts(&token));
    let pace = FetchPace {
        least: Duration::from_millis(1),
        age: HOUR,
    };
    let fetching = tokio::spawn(issuer.address().keep_fresh(issuer.keys.clone(), pace));
    while !issuer.accepts(&token) {
        yield_now().await;
    }
    fetching.abort();
}
