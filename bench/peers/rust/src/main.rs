//! socketioxide with the benchmark's application: a token is checked, two rooms are joined, `/run` emits.
//!
//! `socketioxide-peer PORT SECRET`, on one thread.

use axum::{extract::Query, extract::State, routing::get, Router};
use jsonwebtoken::{decode, Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};
use socketioxide::{
    extract::{Data, SocketRef},
    SocketIo,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

const SIZE: usize = 300; // bytes of a payload, about
const WAITING: usize = 200_000; // packets that may wait for a socket: with its default of 128 it drops messages

#[derive(Deserialize)]
struct Auth {
    token: String,
    user: u64,
}

#[derive(Deserialize)]
struct Claims {}

#[derive(Clone, Serialize)]
struct Payload {
    t: u64, // microseconds since 1970
    text: String,
}

#[derive(Deserialize)]
struct Run {
    kind: String,
    count: u64,
    rate: f64,
    users: u64,
}

async fn one(io: &SocketIo, run: &Run, seed: &mut u64) {
    let t = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64;
    let payload = Payload { t, text: "x".repeat(SIZE - 40) };
    let room = if run.kind == "unicast" {
        *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        format!("user:{}", (*seed >> 33) % run.users)
    } else {
        "room".to_string()
    };
    let _ = io.to(room).emit("event", &payload).await;
}

async fn run(State(io): State<SocketIo>, Query(run): Query<Run>) -> &'static str {
    let (began, mut seed) = (Instant::now(), 1);
    for number in 0..run.count {
        if run.rate > 0.0 {
            tokio::time::sleep_until(began + Duration::from_secs_f64(number as f64 / run.rate)).await;
        }
        one(&io, &run, &mut seed).await;
        tokio::task::yield_now().await;
    }
    "0"
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let key = DecodingKey::from_secret(arguments[2].as_bytes());
    let (layer, io) = SocketIo::builder().max_buffer_size(WAITING).build_layer();
    io.ns("/", async move |socket: SocketRef, Data(auth): Data<Auth>| {
        if decode::<Claims>(&auth.token, &key, &Validation::new(Algorithm::HS256)).is_err() {
            let _ = socket.disconnect();
            return;
        }
        socket.join("room");
        socket.join(format!("user:{}", auth.user));
    });
    let app = Router::new().route("/run", get(run)).with_state(io).layer(layer);
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(format!("127.0.0.1:{}", arguments[1]).parse().unwrap()).unwrap();
    axum::serve(socket.listen(4096).unwrap(), app).await.unwrap();
}
