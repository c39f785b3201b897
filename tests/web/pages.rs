//! Pages for people.

mod typed_text;

use reqwest::Method;

use super::http::{Answer, BROWSER, User, send};
use crate::support;

#[track_caller]
fn is_guarded_page(answer: &Answer) {
    assert_eq!(
        answer.header("content-type"),
        "text/html; charset=utf-8",
        "{answer:?}"
    );
    let policy = answer.header("content-security-policy");
    for part in [
        "default-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("referrer-policy"), "same-origin");
    assert!(
        !answer.text.contains("<script>") && !answer.text.contains(" onclick="),
        "a script in place"
    );
}

#[actix_web::test]
async fn home_and_demo_are_public() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    for path in ["/", "/demo", "/sign-in"] {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        is_guarded_page(&answer);
    }
    let home = stranger.get("/").await.text;
    assert!(
        home.contains("href=\"/sign-in\"")
            && home.contains("What to do next")
            && !home.contains("onboarding"),
        "{home}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn admin_pages_require_a_sign_in() {
    let server = support::server().await;
    let key = User::new(&server, "alice", &[]).start_onboarding().await;
    let stranger = User::with_token(&server, None);
    for path in [
        "/admin/instances".to_owned(),
        format!("/admin/instances/{key}"),
        "/admin/tasks".to_owned(),
        "/admin/playground".to_owned(),
    ] {
        let answer = stranger.browse(&path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (303, &*format!("/sign-in?to={path}"))
        );
    }
    let link = server.sign_in_link().unwrap();
    let signed_in = stranger
        .get(link.strip_prefix(&server.base_url()).unwrap())
        .await;
    let cookie = signed_in
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let get = |path: String| {
        send(
            stranger
                .request(Method::GET, &path)
                .header("cookie", &cookie),
        )
    };

    let list = get("/admin/instances".to_owned()).await;
    is_guarded_page(&list);
    assert!(
        list.text.contains(&key) && list.text.contains("1 found") && list.text.contains("Sign out"),
        "{}",
        list.text
    );
    for (query, found) in [
        ("?q=nothing", 0),
        ("?status=started&process=onboarding&q=", 1),
        ("?node=details", 1),
        ("?node=x", 0),
    ] {
        let text = get(format!("/admin/instances{query}")).await.text;
        assert!(text.contains(&format!("{found} found")), "{query}: {text}");
    }
    assert!(
        get(format!("/admin/instances?q={key}"))
            .await
            .text
            .contains("1 found")
    );

    let page = get(format!("/admin/instances/{key}")).await;
    is_guarded_page(&page);
    assert!(
        page.text.contains(&format!("data-key=\"{key}\""))
            && page.text.contains("Started by alice"),
        "{}",
        page.text
    );
    assert!(
        page.text
            .contains("data-child=\"false\" data-diagram=\"true\""),
        "{}",
        page.text
    );
    let tasks = get("/admin/tasks".to_owned()).await;
    is_guarded_page(&tasks);
    let named = tasks
        .text
        .contains("data-user=\"admin\" data-instances=\"/admin/instances\"");
    assert!(
        named
            && tasks
                .text
                .contains("href=\"/admin/tasks\" aria-current=\"page\""),
        "{}",
        tasks.text
    );
    for path in [
        "/admin/instances/0197a1b2-0000-7000-8000-000000000007",
        "/admin/instances/x",
    ] {
        let request = stranger.request(Method::GET, path);
        let request = request.header("cookie", &cookie).header("accept", BROWSER);
        let missing = send(request).await;
        assert!(
            missing.status == 404 && missing.text.contains("No such instance"),
            "{missing:?}"
        );
        get(path.to_owned())
            .await
            .is_problem(404, "not_found", "instance");
    }
    let home = get("/".to_owned()).await.text;
    assert!(
        home.contains("onboarding") && home.contains("/admin/instances"),
        "{home}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn an_unknown_address_is_a_page_for_browsers_and_a_problem_for_programs() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    for path in [
        "/nothing",
        "/admin/nothing",
        "/docs/nothing",
        "/v1/nothing",
        "/%ff",
    ] {
        for accept in [
            None,
            Some("*/*"),
            Some("application/json"),
            Some("text/html;q=0, */*"),
        ] {
            let request = accept
                .into_iter()
                .fold(stranger.request(Method::GET, path), |request, accept| {
                    request.header("accept", accept)
                });
            send(request)
                .await
                .is_problem(404, "not_found", "expected ");
        }
        let answer = send(
            stranger
                .request(Method::GET, path)
                .header("accept", BROWSER),
        )
        .await;
        if path == "/%ff" {
            continue;
        }
        assert_eq!(answer.status, 404, "{path}");
        is_guarded_page(&answer);
        assert!(
            answer.text.contains("href=\"/docs\"") && answer.text.contains("href=\"/\""),
            "{}",
            answer.text
        );
    }
    // What else is refused is said by a page as well, with all that goes with it; the API speaks to
    // programs.
    let page = send(
        stranger
            .request(Method::GET, "/sign-in?ticket=a&ticket=b")
            .header("accept", BROWSER),
    )
    .await;
    assert!(
        page.status == 400
            && page
                .text
                .contains("<h1>This request is not possible here</h1>"),
        "{page:?}"
    );
    is_guarded_page(&page);
    let page = send(
        stranger
            .request(Method::PUT, "/docs")
            .header("accept", BROWSER),
    )
    .await;
    assert_eq!(
        (page.status.as_u16(), page.header("allow")),
        (405, "GET, HEAD")
    );
    is_guarded_page(&page);
    send(
        stranger
            .request(Method::GET, "/v1/instances")
            .header("accept", BROWSER),
    )
    .await
    .is_problem(401, "unauthenticated", "");
    server.stop().await;
}

#[actix_web::test]
async fn admin_redirects_to_the_first_page_of_the_user() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    let cookie = |token: String| format!("stepwire-session={token}");
    for (user, location) in [
        (None, "/sign-in?to=/admin"),
        (Some(&["operator"][..]), "/admin/instances"),
        (Some(&["designer"]), "/admin/processes"),
        (Some(&["clerk"]), "/admin/tasks"),
    ] {
        let request = stranger
            .request(Method::GET, "/admin")
            .header("accept", BROWSER);
        let request = user.into_iter().fold(request, |request, roles| {
            request.header("cookie", cookie(support::token("ada", roles)))
        });
        let answer = send(request).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (303, location)
        );
    }
    assert_eq!(stranger.browse("/admin/").await.status, 303);
    server.stop().await;
}

/// A program does not get pages: where a user would see a page or be redirected, it gets a problem.
#[actix_web::test]
async fn programs_get_problems_and_browsers_get_pages() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    let key = User::new(&server, "alice", &[]).start_onboarding().await;
    let ask = |method: &Method, path: &str, accept: &str, body: &'static str| {
        let request = stranger.request(method.clone(), path);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        send(request.header("accept", accept.to_owned()).body(body))
    };
    let instance = format!("/admin/instances/{key}");
    for (method, path, body, status, code, person) in [
        (Method::GET, "/admin", "", 401, "unauthenticated", 303),
        (Method::GET, "/admin/", "", 401, "unauthenticated", 303),
        (
            Method::GET,
            "/admin/instances?q=1",
            "",
            401,
            "unauthenticated",
            303,
        ),
        (Method::GET, &instance, "", 401, "unauthenticated", 303),
        (Method::GET, "/admin/tasks", "", 401, "unauthenticated", 303),
        (
            Method::GET,
            "/sign-in?ticket=used",
            "",
            401,
            "unauthenticated",
            401,
        ),
        (
            Method::POST,
            "/sign-in",
            "token=wrong",
            401,
            "unauthenticated",
            401,
        ),
        (
            Method::POST,
            "/sign-in",
            "username=a&password=b",
            401,
            "unauthenticated",
            401,
        ),
        (Method::POST, "/admin", "", 405, "bad_request", 405),
        (Method::POST, "/docs", "", 405, "bad_request", 405),
        (Method::GET, "/sign-out", "", 405, "bad_request", 405),
        (Method::POST, "/nothing", "", 404, "not_found", 404),
        (Method::PUT, "/admin/nothing", "", 404, "not_found", 404),
        (Method::GET, "/docs/nothing", "", 404, "not_found", 404),
    ] {
        for accept in ["*/*", "application/json", "text/html;q=0"] {
            let answer = ask(&method, path, accept, body).await;
            answer.is_problem(status, code, "");
            let mut varies = answer.headers.get_all("vary").iter();
            assert!(varies.any(|by| by == "accept"), "{path}: {answer:?}");
        }
        let answer = ask(&method, path, BROWSER, body).await;
        assert_eq!(answer.status, person, "{method} {path}: {answer:?}");
        assert_ne!(
            answer.header("content-type"),
            "application/problem+json",
            "{method} {path}"
        );
    }
    let head = send(stranger.request(Method::HEAD, "/admin")).await;
    assert_eq!(head.status, 401);
    server.stop().await;
}

#[actix_web::test]
async fn a_sign_in_returns_to_the_requested_page() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    let token = support::token("olga", &["operator"]);
    let wanted = "/admin/instances?q=a%20b&status=started";
    let sent = stranger.browse(wanted).await.header("location").to_owned();
    assert_eq!(
        sent,
        "/sign-in?to=/admin/instances%3Fq%3Da%2520b%26status%3Dstarted"
    );
    let form = stranger.get(&sent).await.text;
    assert!(
        form.contains(
            "name=\"to\" value=\"/admin/instances?q&#x3D;a%20b&amp;status&#x3D;started\""
        ),
        "{form}"
    );
    let sign_in = async |fields: &str| {
        let request = stranger
            .request(Method::POST, "/sign-in")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", BROWSER);
        send(request.body(fields.to_owned())).await
    };
    let encoded = sent.split_once('=').unwrap().1;
    let answer = sign_in(&format!("token={token}&to={encoded}")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, wanted)
    );
    let wrong = sign_in(&format!("token=wrong&to={encoded}")).await;
    assert!(
        wrong.status == 401 && wrong.text.contains("name=\"to\""),
        "what was wanted survives a wrong try"
    );
    for evil in [
        "//evil.example",
        "%2F%2Fevil.example",
        "/%5Cevil.example",
        "/%09/evil.example",
        "https://evil.example",
        "%252F%252Fevil.example",
        "/%252Fevil.example",
        "/admin/..//evil.example",
        "/sign-out",
        "javascript:alert(1)",
        "/docs%0d%0aSet-Cookie:a=b",
    ] {
        let answer = sign_in(&format!("token={token}&to={evil}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (303, "/admin/instances"),
            "{evil}"
        );
        assert!(
            !stranger
                .get(&format!("/sign-in?to={evil}"))
                .await
                .text
                .contains("name=\"to\""),
            "{evil}"
        );
    }
    let link = server.sign_in_link().unwrap();
    let path = format!(
        "{}&to=/docs/users",
        link.strip_prefix(&server.base_url()).unwrap()
    );
    assert_eq!(stranger.get(&path).await.header("location"), "/docs/users");
    server.stop().await;
}

#[actix_web::test]
async fn the_documentation_is_served_as_pages_and_markdown() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    for path in ["/docs", "/docs/"] {
        let list = stranger.get(path).await;
        is_guarded_page(&list);
        for page in [
            "/docs/process-model",
            "/docs/protocol",
            "/docs/errors",
            "/docs/configuration",
            "/docs/api",
            "/docs/sdk",
        ] {
            assert!(
                list.text.contains(&format!("href=\"{page}\"")),
                "{page} in {}",
                list.text
            );
        }
    }
    let model = stranger.get("/docs/process-model").await;
    is_guarded_page(&model);
    assert!(
        model.text.contains("<li id=\"A28\">") && model.text.contains("href=\"/docs/limits\""),
        "{}",
        model.text
    );
    assert!(
        !model.text.contains("<script"),
        "no page of the documentation needs one"
    );
    let users = stranger.get("/docs/users").await.text;
    assert!(
        users.contains("<h2 id=\"behind-a-proxy\">")
            && users.contains("<td data-label=\"client\">"),
        "{users}"
    );
    let markdown = stranger.get("/docs/users.md").await;
    assert_eq!(
        markdown.header("content-type"),
        "text/markdown; charset=utf-8"
    );
    assert!(markdown.text.starts_with("# Users and tokens\n"));
    let requested = send(
        stranger
            .request(Method::GET, "/docs/users")
            .header("accept", "text/markdown, */*"),
    )
    .await;
    assert_eq!(requested.text, markdown.text);
    // The pages to which the types of problems link.
    let problem = stranger.get("/v1/nothing").await.json();
    let page = stranger.get(problem["type"].as_str().unwrap()).await;
    is_guarded_page(&page);
    assert!(page.text.contains("<h1 id=\"not_found\">"), "{}", page.text);
    assert_eq!(
        stranger.get("/docs/errors/README").await.text,
        stranger.get("/docs/errors").await.text
    );
    for path in ["/", "/sign-in", "/docs", "/demo", "/docs/api"] {
        assert!(
            stranger.get(path).await.text.contains("href=\"/docs\""),
            "{path} leads to the documentation"
        );
    }
    server.stop().await;
}
