//! Addresses at which there is no server that can be used: a sentence each, within five seconds.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use tungstenite::Message;

use crate::program::Workplace;
use crate::server::{Server, within};

/// Listens, and does that with each connection.
fn listening(each: impl Fn(std::net::TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("ws://{}", listener.local_addr().unwrap());
    thread::spawn(move || listener.incoming().flatten().for_each(each));
    address
}

/// The program must refuse these devices with these words, and leave nothing behind.
#[track_caller]
fn refused(place: &Workplace, devices: &str, more: &[&str], code: i32, words: &[&str]) {
    let mut arguments = vec!["spectrum", "runs/one", "--devices", devices];
    arguments.extend(more);
    let ended = within(5.0, || place.landscape(&arguments));
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert!(!ended.err.contains("panicked"), "{}", ended.err);
    assert_eq!(ended.err.trim().lines().count(), 1, "{}", ended.err);
    println!("{}", ended.err.trim());
    for word in words {
        assert!(ended.err.contains(word), "no {word:?} in {}", ended.err);
    }
    assert!(
        place.left("runs/one").is_empty(),
        "{:?}",
        place.left("runs/one")
    );
}

#[test]
fn an_address_without_a_usable_server_is_a_sentence_within_five_seconds() {
    let place = Workplace::with_a_run();
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = format!("ws://{}", dead.local_addr().unwrap());
    drop(dead);
    refused(&place, &free, &[], 1, &["nobody listens on", &free]);
    // Beside one that is there, too.
    let server = Server::start(&[]);
    let both = format!("{},{free}", server.address);
    refused(&place, &both, &[], 1, &["nobody listens on", &free]);
    let silent = listening(std::mem::forget);
    refused(&place, &silent, &[], 1, &["does not answer within 2 s"]);
    let talkative = listening(|mut stream| {
        let _ = stream.write_all(b"220 mail.example ready\r\n");
        let _ = stream.read(&mut [0; 1024]);
    });
    refused(
        &place,
        &talkative,
        &[],
        1,
        &["no server of `landscape serve`"],
    );
    // A page for everything, and a socket for nothing.
    let pages = listening(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ =
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    refused(&place, &pages, &[], 1, &[&pages, "cannot be used"]);
    // A page, and then nothing: a server that hangs.
    let hanging = listening(|mut stream| {
        let mut request = [0; 4096];
        let length = stream.read(&mut request).unwrap_or(0);
        if request[..length].starts_with(b"GET / ") {
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        } else {
            std::mem::forget(stream);
        }
    });
    refused(&place, &hanging, &[], 1, &["opens no session"]);
    refused(
        &place,
        "ws://nowhere.invalid:3000",
        &[],
        1,
        &["no such host"],
    );
    for name in ["nonsense", "http://a:1", "ws://a", "127.0.0.1:3000"] {
        refused(&place, name, &[], 2, &["--devices", "ws://HOST:PORT"]);
    }
}

#[test]
fn a_token_that_is_wrong_or_missing_is_refused() {
    let place = Workplace::with_a_run();
    let server = Server::start(&["--token", "right"]);
    let asks = &["asks for a token", "--token", "LANDSCAPE_TOKEN"];
    refused(&place, &server.address, &[], 1, asks);
    let wrong = ["--token", "wrong-and-secret"];
    refused(&place, &server.address, &wrong, 1, &["refuses the token"]);
    let right = [
        "--top", "1", "--bottom", "0", "--starts", "1", "--token", "right",
    ];
    let mut arguments = vec!["spectrum", "runs/one", "--devices", &server.address];
    arguments.extend(right);
    let ended = place.landscape(&arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn a_server_of_another_version_is_named_with_both_versions() {
    let place = Workplace::with_a_run();
    let other = listening(|stream| {
        let mut peeked = [0; 6];
        let _ = stream.peek(&mut peeked);
        if &peeked == b"GET / " {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
            return;
        }
        let Ok(mut socket) = tungstenite::accept(stream) else {
            return;
        };
        let _ = socket.read();
        // `{content: InitRefused(IncompatibleProtocol {server_version: 9}), id: 0}` in MessagePack,
        // the bytes that Burn's own test states.
        let refusal = [
            &[0x92, 0x81, 0xab][..],
            b"InitRefused",
            &[0x81, 0xb4],
            b"IncompatibleProtocol",
            &[0x91, 0x09, 0x00],
        ];
        let _ = socket.send(Message::Binary(refusal.concat().into()));
        let _ = socket.read();
    });
    let words = ["version 9", "version 2", "the same Burn"];
    refused(&place, &other, &[], 1, &words);
}

#[test]
fn a_server_is_for_this_machine_unless_it_asks_for_a_token() {
    let place = Workplace::new();
    let ended = place.landscape(&["serve", "--host", "0.0.0.0", "--port", "0"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("give a token"), "{}", ended.err);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = place.landscape(&["serve", "--port", &port]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("another --port"), "{}", ended.err);
}
