package dev.holdfast.edge;

import static dev.holdfast.edge.H2Wire.END_HEADERS;
import static dev.holdfast.edge.H2Wire.WHOLE;
import static dev.holdfast.edge.H2Wire.request;
import static dev.holdfast.edge.Http2ConformanceTest.PROTOCOL_ERROR;
import static dev.holdfast.edge.Http2ConformanceTest.malformed;
import static dev.holdfast.edge.Http2ConformanceTest.post;
import static dev.holdfast.edge.Http2ConformanceTest.served;
import static dev.holdfast.edge.Http2ConformanceTest.stream;
import static dev.holdfast.edge.Http2ConformanceTest.unanswered;
import static dev.holdfast.edge.Http2ConformanceTest.without;

/** The cases of RFC 9113 section 8: how HTTP is said in HTTP/2. */
final class Http2MessageCases {
  private Http2MessageCases() {}

  static void add() {
    messages();
    fields();
  }

  private static void messages() {
    stream(
        "8.1: a second HEADERS that ends nothing",
        PROTOCOL_ERROR,
        wire -> {
          unanswered(wire);
          wire.headers(1, END_HEADERS, "x", "y");
        });
    stream(
        "8.1: pseudo-fields in trailers",
        PROTOCOL_ERROR,
        wire -> {
          unanswered(wire);
          wire.data(1, false, "x").headers(1, WHOLE, ":method", "GET");
        });
    stream(
        "8.1: upper case in trailers",
        PROTOCOL_ERROR,
        wire -> {
          unanswered(wire);
          wire.data(1, false, "x").headers(1, WHOLE, "X-Sum", "1");
        });
    served(
        "8.1: trailers",
        wire -> {
          post(wire);
          wire.data(1, false, "x").headers(1, WHOLE, "x-sum", "1");
        });
    stream(
        "8.1.1: more DATA than content-length",
        PROTOCOL_ERROR,
        wire -> {
          unanswered(wire, "content-length", "1");
          wire.data(1, true, "four");
        });
    stream(
        "8.1.1: less DATA than content-length",
        PROTOCOL_ERROR,
        wire -> {
          unanswered(wire, "content-length", "5");
          wire.data(1, false, "x").data(1, true, "y");
        });
    stream(
        "8.1.1: no DATA despite content-length",
        PROTOCOL_ERROR,
        wire -> {
          wire.headers(1, WHOLE, request("POST", "/", "content-length", "1"));
        });
    stream(
        "8.1.1: trailers before content-length is reached",
        PROTOCOL_ERROR,
        wire -> {
          unanswered(wire, "content-length", "5");
          wire.data(1, false, "x").headers(1, WHOLE, "x-sum", "1");
        });
    malformed(
        "8.1.1: two content-lengths",
        request("POST", "/", "content-length", "0", "content-length", "1"));
    malformed("8.1.1: a content-length with a sign", request("POST", "/", "content-length", "+0"));
  }

  private static void fields() {
    malformed("8.2.1: upper case", request("GET", "/", "X-Test", "ok"));
    malformed("8.2.1: a blank in a name", request("GET", "/", "x test", "ok"));
    malformed("8.2.1: a colon in a name", request("GET", "/", "x:test", "ok"));
    malformed("8.2.1: a line end in a name", request("GET", "/", "x\r\ny", "ok"));
    malformed("8.2.1: an empty name", request("GET", "/", "", "ok"));
    malformed("8.2.1: CR in a value", request("GET", "/", "x", "a\rb"));
    malformed("8.2.1: LF in a value", request("GET", "/", "x", "a\nb"));
    malformed("8.2.1: NUL in a value", request("GET", "/", "x", "a\0b"));
    malformed("8.2.1: a blank before a value", request("GET", "/", "x", " a"));
    malformed("8.2.1: a tab after a value", request("GET", "/", "x", "a\t"));
    malformed("8.2.2: connection", request("GET", "/", "connection", "keep-alive"));
    malformed("8.2.2: keep-alive", request("GET", "/", "keep-alive", "5"));
    malformed("8.2.2: proxy-connection", request("GET", "/", "proxy-connection", "close"));
    malformed("8.2.2: transfer-encoding", request("POST", "/", "transfer-encoding", "chunked"));
    malformed("8.2.2: upgrade", request("GET", "/", "upgrade", "websocket"));
    malformed("8.2.2: te other than trailers", request("GET", "/", "te", "trailers, deflate"));
    served(
        "8.2.2: te: trailers",
        wire -> {
          wire.headers(1, WHOLE, request("GET", "/", "te", "trailers"));
        });
    malformed("8.3: an unknown pseudo-field", request("GET", "/", ":test", "ok"));
    malformed("8.3: :status in a request", request("GET", "/", ":status", "200"));
    malformed("8.3: :protocol, which was not offered", request("CONNECT", "/", ":protocol", "ws"));
    malformed(
        "8.3: a pseudo-field after a field",
        ":method",
        "GET",
        ":scheme",
        "http",
        "x",
        "y",
        ":path",
        "/",
        ":authority",
        "app.test");
    malformed("8.3.1: an empty :path", request("GET", ""));
    malformed("8.3.1: no :method", without(":method"));
    malformed("8.3.1: no :scheme", without(":scheme"));
    malformed("8.3.1: no :path", without(":path"));
    malformed("8.3.1: :method twice", request("GET", "/", ":method", "GET"));
    malformed("8.3.1: :scheme twice", request("GET", "/", ":scheme", "http"));
    malformed("8.3.1: :path twice", request("GET", "/", ":path", "/"));
    malformed("8.3.1: a blank in :path", request("GET", "/ HTTP/1.1"));
    malformed("8.3.1: a line end in :path", request("GET", "/\r\nx: y"));
    malformed("8.3.1: a blank in :method", request("GET /", "/"));
    malformed(
        "8.3.1: a line end in :authority",
        ":method",
        "GET",
        ":scheme",
        "http",
        ":path",
        "/",
        ":authority",
        "app.test\r\nx: y");
  }
}
