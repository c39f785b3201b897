//! Pages for people.

use reqwest::Method;

use super::http::{Answer, User, send};
use crate::support;

#[track_caller]
fn is_guarded_page(answer: &Answer) {
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{answer:?}");
    let policy = answer.header("content-security-policy");
    for part in ["default-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("referrer-policy"), "same-origin");
    assert!(!answer.text.contains("<script>") && !answer.text.contains(" onclick="), "a script in place");
}

#[actix_web::test]
async fn home_and_demo_are_open_to_anybody() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    for path in ["/", "/demo", "/sign-in"] {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        is_guarded_page(&answer);
    }
    let home = stranger.get("/").await.text;
    assert!(home.contains("href=\"/sign-in\"") && home.contains("What to do next") && !home.contains("onboarding"), "{home}");
    server.stop().await;
}

#[actix_web::test]
async fn admin_pages_are_for_those_who_signed_in() {
    let server = support::server().await;
    let key = User::new(&server, "alice", &[]).start_onboarding().await;
    let stranger = User::with_token(&server, None);
    for path in ["/admin/instances".to_owned(), format!("/admin/instances/{key}"), "/admin/tasks".to_owned()] {
        let answer = stranger.get(&path).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/sign-in"));
    }
    let link = server.sign_in_link().unwrap();
    let signed_in = stranger.get(link.strip_prefix(&server.base_url()).unwrap()).await;
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let get = |path: String| send(stranger.request(Method::GET, &path).header("cookie", &cookie));

    let list = get("/admin/instances".to_owned()).await;
    is_guarded_page(&list);
    assert!(list.text.contains(&key) && list.text.contains("1 found") && list.text.contains("Sign out"), "{}", list.text);
    for (query, found) in [("?q=nothing", 0), ("?status=started&process=onboarding&q=", 1), ("?node=details", 1), ("?node=x", 0)]
    {
        let text = get(format!("/admin/instances{query}")).await.text;
        assert!(text.contains(&format!("{found} found")), "{query}: {text}");
    }
    assert!(get(format!("/admin/instances?q={key}")).await.text.contains("1 found"));

    let page = get(format!("/admin/instances/{key}")).await;
    is_guarded_page(&page);
    assert!(page.text.contains(&format!("data-key=\"{key}\"")) && page.text.contains("Started by alice"), "{}", page.text);
    assert!(page.text.contains("data-child=\"false\" data-diagram=\"true\""), "{}", page.text);
    let tasks = get("/admin/tasks".to_owned()).await;
    is_guarded_page(&tasks);
    let named = tasks.text.contains("data-user=\"admin\" data-instances=\"/admin/instances\"");
    assert!(named && tasks.text.contains("href=\"/admin/tasks\" aria-current=\"page\""), "{}", tasks.text);
    let missing = get("/admin/instances/0197a1b2-0000-7000-8000-000000000007".to_owned()).await;
    assert!(missing.status == 404 && missing.text.contains("No such instance"), "{missing:?}");
    let home = get("/".to_owned()).await.text;
    assert!(home.contains("onboarding") && home.contains("/admin/instances"), "{home}");
    server.stop().await;
}

#[actix_web::test]
async fn what_is_typed_is_shown_as_text() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    let link = server.sign_in_link().unwrap();
    let signed_in = stranger.get(link.strip_prefix(&server.base_url()).unwrap()).await;
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let path = "/admin/instances?q=%22%3E%3Cb%3Ehi";
    let page = send(stranger.request(Method::GET, path).header("cookie", &cookie)).await;
    assert!(page.text.contains("&quot;&gt;&lt;b&gt;hi") && !page.text.contains("<b>hi"), "{}", page.text);
    server.stop().await;
}
