//! A chat completion server on a free loopback port, which does what a function of the request says.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{json, Value};
use tokio::sync::Semaphore;

/// What the server is asked.
#[derive(Clone, Debug)]
pub struct Call {
    /// Requests before this one.
    pub number: usize,
    pub path: String,
    pub authorization: Option<String>,
    pub headers: Vec<(String, String)>,
    pub body: Value,
    pub bytes: Vec<u8>,
}

impl Call {
    /// Replies that the conversation holds already.
    pub fn turn(&self) -> usize {
        self.messages().iter().filter(|m| m["role"] == "assistant").count()
    }
    pub fn messages(&self) -> &[Value] {
        self.body["messages"].as_array().unwrap()
    }
    pub fn seed(&self) -> u64 {
        self.body["seed"].as_u64().unwrap()
    }
}

/// What it does.
#[derive(Clone, Debug)]
pub enum Act {
    /// A completion with this text.
    Say(String),
    /// A completion with this text and finish reason.
    Finish(String, &'static str),
    /// 200 and this body.
    Raw(String),
    /// A status with a header and a body.
    Status(u16, Option<(&'static str, String)>, String),
    /// Promises a body, sends its beginning, and breaks off.
    Cut,
    /// Breaks off before any answer.
    Close,
    /// The same, later.
    After(Duration, Box<Act>),
}

type Think = Arc<dyn Fn(&Call) -> Act + Send + Sync>;

/// The server; gone when dropped.
pub struct Server {
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
    pub calls: Arc<Mutex<Vec<Call>>>,
    pub most_at_once: Arc<AtomicUsize>,
}

impl Server {
    /// Keeps every request.
    pub fn new(think: impl Fn(&Call) -> Act + Send + Sync + 'static) -> Self {
        Self::with(Arc::new(think), None)
    }

    /// Works on so many requests at once, and keeps none.
    pub fn limited(think: impl Fn(&Call) -> Act + Send + Sync + 'static, places: Arc<Semaphore>) -> Self {
        Self::with(Arc::new(think), Some(places))
    }

    fn with(think: Think, places: Option<Arc<Semaphore>>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let most_at_once = Arc::new(AtomicUsize::new(0));
        let desk = Arc::new(Desk {
            think,
            places,
            number: AtomicUsize::new(0),
            now: AtomicUsize::new(0),
            calls: calls.clone(),
            most: most_at_once.clone(),
        });
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let desk = desk.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(desk.clone(), request));
                    // A connection that is cut on purpose ends in an error.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, runtime: Some(runtime), calls, most_at_once }
    }

    pub fn word(&self) -> String {
        format!("http://{}/v1#toy/model", self.address)
    }

    pub fn count(&self) -> usize {
        self.calls.lock().unwrap().len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct Desk {
    think: Think,
    places: Option<Arc<Semaphore>>,
    number: AtomicUsize,
    now: AtomicUsize,
    calls: Arc<Mutex<Vec<Call>>>,
    most: Arc<AtomicUsize>,
}

/// A body that may break off.
struct Text(Option<Bytes>, bool);

impl Body for Text {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match self.0.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None if self.1 => Poll::Ready(Some(Err(std::io::Error::other("cut on purpose")))),
            None => Poll::Ready(None),
        }
    }
}

async fn answer(desk: Arc<Desk>, request: Request<Incoming>) -> Result<Response<Text>, std::io::Error> {
    let now = desk.now.fetch_add(1, Ordering::SeqCst) + 1;
    desk.most.fetch_max(now, Ordering::SeqCst);
    let headers =
        request.headers().iter().map(|(k, v)| (k.to_string(), v.to_str().unwrap().to_owned())).collect();
    let authorization = request.headers().get("authorization").map(|v| v.to_str().unwrap().to_owned());
    let path = request.uri().path().to_owned();
    let bytes = request.into_body().collect().await.map_err(std::io::Error::other)?.to_bytes().to_vec();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let number = desk.number.fetch_add(1, Ordering::SeqCst);
    let call = Call { number, path, authorization, headers, body, bytes };
    let mut act = (desk.think)(&call);
    // Dropped, and the place with it, when the answer is ready.
    let _place = match &desk.places {
        Some(places) => Some(places.acquire().await.map_err(std::io::Error::other)?),
        None => None,
    };
    if desk.places.is_none() {
        desk.calls.lock().unwrap().push(call);
    }
    while let Act::After(time, next) = act {
        tokio::time::sleep(time).await;
        act = *next;
    }
    desk.now.fetch_sub(1, Ordering::SeqCst);
    Ok(match act {
        Act::Close => return Err(std::io::Error::other("closed on purpose")),
        Act::Cut => {
            let response = Response::builder().header("content-length", 5000);
            response.body(Text(Some(Bytes::from_static(b"{\"choices\": [")), true)).unwrap()
        }
        Act::Say(text) => whole(200, None, completion(&text, "stop")),
        Act::Finish(text, reason) => whole(200, None, completion(&text, reason)),
        Act::Raw(text) => whole(200, None, text),
        Act::Status(status, header, text) => whole(status, header, text),
        Act::After(..) => unreachable!("waited for above"),
    })
}

fn whole(status: u16, header: Option<(&'static str, String)>, text: String) -> Response<Text> {
    let mut response = Response::builder().status(status);
    if let Some((name, value)) = header {
        response = response.header(name, value);
    }
    response.body(Text(Some(text.into()), false)).unwrap()
}

fn completion(text: &str, reason: &str) -> String {
    json!({
        "id": "c", "object": "chat.completion", "model": "toy/model",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": reason}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 4, "total_tokens": 15},
    })
    .to_string()
}
