//! A proxy that cuts connections at a chosen moment.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
};

/// Listens for the server at `port`, and cuts the first connection instead of passing on the
/// server's `cut_at`-th piece; later ones pass whole. Its own port.
pub async fn cutting(port: u16, cut_at: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let own = listener.local_addr().expect("it listens").port();
    tokio::spawn(async move {
        let mut cut = Some(cut_at);
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", port))
                .await
                .expect("the server listens");
            tokio::spawn(pass(client, server, cut.take()));
        }
    });
    own
}

async fn pass(client: TcpStream, server: TcpStream, cut_at: Option<usize>) {
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let up = tokio::spawn(async move { copy(&mut from_client, &mut to_server).await });
    let mut chunk = vec![0; 64 * 1024];
    let mut pieces = 0;
    while let Ok(length) = from_server.read(&mut chunk).await
        && length > 0
    {
        pieces += 1;
        if cut_at == Some(pieces) || to_client.write_all(&chunk[..length]).await.is_err() {
            break;
        }
    }
    up.abort();
}
