//! User input is shown as text on every page.

use super::*;

#[actix_web::test]
async fn user_input_is_escaped_in_pages() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
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
    let path = "/admin/instances?q=%22%3E%3Cb%3Ehi";
    let page = send(
        stranger
            .request(Method::GET, path)
            .header("cookie", &cookie),
    )
    .await;
    assert!(
        page.text.contains("&quot;&gt;&lt;b&gt;hi") && !page.text.contains("<b>hi"),
        "{}",
        page.text
    );
    server.stop().await;
}
