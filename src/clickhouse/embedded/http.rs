//! ClickHouse's HTTP interface over the engine of this process.
//!
//! Speaks the part of the protocol that the `clickhouse` crate and `curl` use: the statement in the
//! body, in `?query=` or in a multipart form with its `param_*` values; settings and `database` in
//! the query string; rows as they come; errors as a status, `X-ClickHouse-Exception-Code` and a
//! text, or, once rows are on their way, as the tagged exception block at the end of the body.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use uuid::Uuid;

use super::call::Call;
use super::engine::{Engine, Rest, Rows};
use super::format::is_streamable;
use super::library::{EngineException, Summary};
use super::snapshot;
use super::statement::Statement;

/// Bound on a statement's own text; inserted data is streamed and has none.
const STATEMENT_BYTES: usize = 16 << 20;

type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// Answers one request.
pub async fn handle(engine: &'static Engine, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    Ok(match answer(engine, request).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    })
}

async fn answer(engine: &'static Engine, request: Request<Incoming>) -> Result<Response<Body>, Failure> {
    let (head, body) = request.into_parts();
    if head.method == Method::GET && matches!(head.uri.path(), "/" | "/ping") && head.uri.query().is_none() {
        return Ok(whole(Bytes::from_static(b"Ok.\n"), Summary::default(), ""));
    }
    if !matches!(head.method, Method::GET | Method::POST) {
        return Err(Failure {
            status: StatusCode::METHOD_NOT_ALLOWED,
            message: "Code: 36. DB::Exception: use GET or POST".to_owned(),
        });
    }
    if head.headers.contains_key(CONTENT_ENCODING) {
        return Err(Failure::bad_request(
            "Code: 48. DB::Exception: compressed bodies are not implemented. (NOT_IMPLEMENTED)",
        ));
    }
    let (mut call, in_url, whole_answer) = read_query_string(head.uri.query().unwrap_or_default())?;
    let mut data = Some(body);
    let sql = match in_url {
        Some(sql) => sql,
        None => read_body(&head.headers, data.take().expect("not yet taken"), &mut call).await?,
    };
    let default_format = if call.format.is_empty() { "TabSeparated".to_owned() } else { call.format.clone() };

    match Statement::read(&sql).map_err(|refused| Failure::bad_request(&refused.to_string()))? {
        Statement::Insert { sql, format, data: inline } => {
            let (sql, format, inline) = (sql.to_owned(), format.to_owned(), inline.to_owned());
            insert(engine, Call { sql, format, ..call }, inline, data).await
        }
        Statement::Select { sql, format, takes_settings } => {
            let format = format.map_or(default_format, str::to_owned);
            let call = Call { sql: sql.to_owned(), format, takes_settings, ..call };
            if is_streamable(&call.format) && !whole_answer {
                select(engine, call).await
            } else {
                execute(engine, call).await
            }
        }
        Statement::Show { sql, format } => {
            let format = format.map_or(default_format, str::to_owned);
            execute(engine, Call { sql: sql.to_owned(), format, ..call }).await
        }
        Statement::InsertSelect { sql } => {
            let _inserting = engine.inserting().await;
            execute(engine, Call { sql: sql.to_owned(), format: default_format, ..call }).await
        }
        Statement::Backup { sql } => {
            let query_id = call.query_id.clone();
            let call = Call { sql: sql.to_owned(), format: default_format, ..call };
            let begun = snapshot::begin(engine, call).await?;
            Ok(whole(begun.bytes, begun.summary, &query_id))
        }
        Statement::Command { sql } => {
            execute(engine, Call { sql: sql.to_owned(), format: default_format, ..call }).await
        }
    }
}

async fn execute(engine: &'static Engine, call: Call) -> Result<Response<Body>, Failure> {
    let query_id = call.query_id.clone();
    let answer = engine.execute(call).await?;
    Ok(whole(answer.bytes, answer.summary, &query_id))
}

async fn select(engine: &'static Engine, call: Call) -> Result<Response<Body>, Failure> {
    let query_id = call.query_id.clone();
    let Rows { summary, first, rest } = engine.select(call).await?;
    let Some(rest) = rest else { return Ok(whole(first, summary, &query_id)) };
    let tag = exception_tag();
    let mut response = whole(Bytes::new(), summary, &query_id);
    response.headers_mut().insert("x-clickhouse-exception-tag", tag.parse().expect("letters and digits"));
    let chunks = Box::pin(next_chunk(rest));
    *response.body_mut() = RowsBody { first: Some(first), tag, chunks: Some(chunks) }.boxed_unsync();
    Ok(response)
}

async fn insert(
    engine: &'static Engine,
    call: Call,
    inline: String,
    body: Option<Incoming>,
) -> Result<Response<Body>, Failure> {
    let query_id = call.query_id.clone();
    let mut insert = engine.insert(call).await;
    let mut wanted = inline.is_empty() || insert.append(Bytes::from(inline)).await;
    if let Some(mut body) = body {
        while let Some(frame) = body.frame().await {
            // A body that breaks off leaves the insert unfinished: dropping it keeps no row.
            let frame = frame.map_err(|_| {
                Failure::bad_request("Code: 210. DB::NetException: the body broke off. (NETWORK_ERROR)")
            })?;
            let Ok(data) = frame.into_data() else { continue };
            wanted = wanted && insert.append(data).await;
        }
    }
    let summary = insert.finish().await?;
    Ok(whole(Bytes::new(), summary, &query_id))
}

/// Settings, database and statement of the query string, and whether the answer is wanted whole.
fn read_query_string(query: &str) -> Result<(Call, Option<String>, bool), Failure> {
    let mut call = Call { query_id: Uuid::new_v4().to_string(), ..Call::default() };
    let mut sql = None;
    let mut whole_answer = false;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "query" => sql = Some(value.into_owned()),
            "database" => call.database = Some(value.into_owned()),
            "default_format" => call.format = value.into_owned(),
            "query_id" => call.query_id = value.into_owned(),
            "wait_end_of_query" => whole_answer = value == "1",
            "user" | "password" | "role" | "buffer_size" => {}
            "compress" | "decompress" if value == "0" => {}
            "compress" | "decompress" | "session_id" => {
                return Err(Failure::bad_request(&format!(
                    "Code: 48. DB::Exception: {name} is not implemented. (NOT_IMPLEMENTED)"
                )));
            }
            _ => match name.strip_prefix("param_") {
                Some(parameter) => call.parameters.push(parameter, value),
                None if is_identifier(&name) => call.settings.push((name.into_owned(), value.into_owned())),
                None => {
                    return Err(Failure::bad_request(
                        "Code: 115. DB::Exception: not a setting's name. (UNKNOWN_SETTING)",
                    ));
                }
            },
        }
    }
    Ok((call, sql, whole_answer))
}

/// The statement in a body: the body itself, or the field `query` of a form.
async fn read_body(headers: &HeaderMap, body: Incoming, call: &mut Call) -> Result<String, Failure> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let body = http_body_util::Limited::new(body, STATEMENT_BYTES);
    if let Ok(boundary) = multer::parse_boundary(content_type) {
        let mut form = multer::Multipart::new(body.into_data_stream(), boundary);
        let mut sql = None;
        while let Some(field) = form.next_field().await.map_err(Failure::unreadable)? {
            let name = field.name().unwrap_or_default().to_owned();
            let value = field.text().await.map_err(Failure::unreadable)?;
            match name.strip_prefix("param_") {
                Some(parameter) => call.parameters.push(parameter, value),
                None if name == "query" => sql = Some(value),
                None => {}
            }
        }
        return Ok(sql.unwrap_or_default());
    }
    let bytes = body.collect().await.map_err(Failure::unreadable)?.to_bytes();
    String::from_utf8(bytes.into()).map_err(Failure::unreadable)
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn whole(bytes: Bytes, summary: Summary, query_id: &str) -> Response<Body> {
    let mut response = Response::new(Full::new(bytes).map_err(|never| match never {}).boxed_unsync());
    let summary = format!(
        r#"{{"read_rows":"{}","read_bytes":"{}","written_rows":"{}","written_bytes":"{}","elapsed_ns":"{}"}}"#,
        summary.read_rows,
        summary.read_bytes,
        summary.written_rows,
        summary.written_bytes,
        (summary.elapsed_seconds * 1e9) as u64,
    );
    let headers = response.headers_mut();
    headers.insert("x-clickhouse-summary", summary.parse().expect("digits and signs"));
    if let Ok(query_id) = query_id.parse() {
        headers.insert("x-clickhouse-query-id", query_id);
    }
    response
}

/// Sixteen letters and digits that mark the exception block of one answer.
fn exception_tag() -> String {
    Uuid::new_v4().simple().to_string()[..16].to_owned()
}

type NextChunk = Pin<Box<dyn Future<Output = (Rest, Option<Result<Bytes, EngineException>>)> + Send>>;

async fn next_chunk(mut rest: Rest) -> (Rest, Option<Result<Bytes, EngineException>>) {
    let chunk = rest.next().await;
    (rest, chunk)
}

/// Rows on their way; an error among them becomes the last frame.
struct RowsBody {
    first: Option<Bytes>,
    tag: String,
    chunks: Option<NextChunk>,
}

impl hyper::body::Body for RowsBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let Some(chunks) = self.chunks.as_mut() else { return Poll::Ready(None) };
        let (rest, chunk) = ready!(chunks.as_mut().poll(context));
        self.chunks = None;
        Poll::Ready(match chunk {
            None => None,
            Some(Ok(bytes)) => {
                self.chunks = Some(Box::pin(next_chunk(rest)));
                Some(Ok(Frame::data(bytes)))
            }
            Some(Err(EngineException(message))) => {
                let (tag, length) = (&self.tag, message.len() + 1);
                let block = format!("\r\n__exception__\r\n{tag}\r\n{message}\n{length} {tag}\r\n__exception__\r\n");
                Some(Ok(Frame::data(Bytes::from(block))))
            }
        })
    }
}

/// A statement that failed before its first row.
struct Failure {
    status: StatusCode,
    message: String,
}

impl Failure {
    fn bad_request(message: &str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.to_owned() }
    }

    fn unreadable(error: impl std::fmt::Display) -> Self {
        Self::bad_request(&format!(
            "Code: 27. DB::Exception: the body cannot be read: {error}. (CANNOT_PARSE_INPUT_ASSERTION_FAILED)"
        ))
    }

    fn into_response(self) -> Response<Body> {
        let code =
            self.message.strip_prefix("Code: ").and_then(|rest| rest.split('.').next()).unwrap_or("1001").to_owned();
        let mut response = whole(Bytes::from(self.message), Summary::default(), "");
        *response.status_mut() = self.status;
        if let Ok(code) = code.parse() {
            response.headers_mut().insert("x-clickhouse-exception-code", code);
        }
        response
    }
}

impl From<EngineException> for Failure {
    fn from(EngineException(message): EngineException) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, message }
    }
}
