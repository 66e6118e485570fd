package dev.holdfast.edge;

import dev.holdfast.limits.Check;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Every bound and switch between the accept and the first request: PROXY protocol, TLS and HTTP/2.
 * Immutable.
 *
 * @param tlsListen where clients speak TLS, or null when they do not
 * @param proxyProtocol whether {@link #proxies} announce their clients on the plain listener
 * @param tlsProxyProtocol the same on the TLS listener
 * @param proxies addresses or networks such as {@code 10.0.0.0/8} that are believed when they name
 *     their clients by X-Forwarded-For and, where that is on, must begin with a PROXY protocol
 *     header (version 1 or 2); whoever else sends one is refused
 * @param nativeTls whether BoringSSL is used where it loads; otherwise the JDK's TLS
 * @param handshakeTimeout how long a client has for the PROXY header and the TLS handshake together
 * @param clientHelloBytesMax longest ClientHello
 * @param tlsContextsMax identities whose TLS context is kept ready at one time
 * @param tlsSessionsMax sessions without ticket that are kept per identity
 * @param tlsSessionLife how long a session may be resumed
 * @param streamsMax requests under way on one HTTP/2 connection
 * @param streamWindowBytes what one stream may send before the app takes it
 * @param connectionWindowBytes what all streams of a connection together may send
 * @param headerListBytesMax a request's fields as HTTP/2 counts them (431)
 * @param resetsMax RST_STREAM frames per {@link #floodWindow}, each way
 * @param stillbornMax streams per {@link #floodWindow} that a client may reset in the read in which
 *     they began
 * @param controlFramesMax PING, SETTINGS, PRIORITY and unknown frames per {@link #floodWindow}
 * @param floodWindow over what these are counted, in whole seconds
 * @param queuedFramesMax answers to control frames that a client has not taken yet
 * @param emptyFramesMax DATA frames without data in a row
 * @param continuationsMax small CONTINUATION frames of one head
 * @param upstreamStreamsMax requests under way on one HTTP/2 connection to an app
 * @param upstreamLinksMax HTTP/2 connections to one app, per event loop
 */
public record FrontConfig(
    @Nullable InetSocketAddress tlsListen,
    boolean proxyProtocol,
    boolean tlsProxyProtocol,
    List<String> proxies,
    boolean nativeTls,
    Duration handshakeTimeout,
    int clientHelloBytesMax,
    int tlsContextsMax,
    int tlsSessionsMax,
    Duration tlsSessionLife,
    int streamsMax,
    int streamWindowBytes,
    int connectionWindowBytes,
    int headerListBytesMax,
    int resetsMax,
    int stillbornMax,
    int controlFramesMax,
    Duration floodWindow,
    int queuedFramesMax,
    int emptyFramesMax,
    int continuationsMax,
    int upstreamStreamsMax,
    int upstreamLinksMax) {

  /** Where clients speak TLS unless told otherwise. */
  public static final int TLS_PORT = 8443;

  private static final String POSITIVE = "> 0";
  private static final int WINDOW_BYTES_MIN = 65_535;

  /** Refuses waits that never end or end at once, and bounds that let nothing through. */
  public FrontConfig {
    proxies = List.copyOf(proxies);
    proxies.forEach(Peers::check);
    Check.that(handshakeTimeout.isPositive(), "handshakeTimeout", handshakeTimeout, POSITIVE);
    Check.that(
        clientHelloBytesMax >= 512 && clientHelloBytesMax <= 0xffff,
        "clientHelloBytesMax",
        clientHelloBytesMax,
        "512 to 65535");
    Check.that(tlsContextsMax >= 1, "tlsContextsMax", tlsContextsMax, ">= 1");
    Check.that(tlsSessionsMax >= 1, "tlsSessionsMax", tlsSessionsMax, ">= 1");
    Check.that(
        tlsSessionLife.toSeconds() >= 1 && tlsSessionLife.toDays() <= 7,
        "tlsSessionLife",
        tlsSessionLife,
        "a second to seven days");
    Check.that(streamsMax >= 1, "streamsMax", streamsMax, ">= 1");
    Check.that(
        streamWindowBytes >= WINDOW_BYTES_MIN, "streamWindowBytes", streamWindowBytes, ">= 65535");
    Check.that(
        connectionWindowBytes >= streamWindowBytes,
        "connectionWindowBytes",
        connectionWindowBytes,
        ">= streamWindowBytes " + streamWindowBytes);
    Check.that(headerListBytesMax >= 1024, "headerListBytesMax", headerListBytesMax, ">= 1024");
    Check.that(resetsMax >= 1, "resetsMax", resetsMax, ">= 1");
    Check.that(stillbornMax >= 1, "stillbornMax", stillbornMax, ">= 1");
    Check.that(controlFramesMax >= 1, "controlFramesMax", controlFramesMax, ">= 1");
    Check.that(
        floodWindow.toSeconds() >= 1 && floodWindow.toDays() < 1,
        "floodWindow",
        floodWindow,
        "a second to a day");
    Check.that(queuedFramesMax >= 1, "queuedFramesMax", queuedFramesMax, ">= 1");
    Check.that(emptyFramesMax >= 1, "emptyFramesMax", emptyFramesMax, ">= 1");
    Check.that(continuationsMax >= 1, "continuationsMax", continuationsMax, ">= 1");
    Check.that(upstreamStreamsMax >= 1, "upstreamStreamsMax", upstreamStreamsMax, ">= 1");
    Check.that(upstreamLinksMax >= 1, "upstreamLinksMax", upstreamLinksMax, ">= 1");
  }

  /** What holds when nothing is configured: no TLS listener and nobody's PROXY header. */
  public static FrontConfig defaults() {
    return new FrontConfig(
        null,
        false,
        false,
        List.of(),
        true,
        Duration.ofSeconds(10),
        16 * 1024,
        1000,
        1000,
        Duration.ofHours(12),
        100,
        256 * 1024,
        1024 * 1024,
        128 * 1024,
        200,
        50,
        500,
        Duration.ofSeconds(30),
        1000,
        10,
        32,
        100,
        8);
  }

  /** The same with TLS spoken at that address, or nowhere. */
  public FrontConfig withTlsListen(@Nullable InetSocketAddress at) {
    return copy(at, proxyProtocol, tlsProxyProtocol, proxies, nativeTls);
  }

  /** The same with these peers announcing their clients, on either listener. */
  public FrontConfig withProxies(boolean plain, boolean tls, List<String> peers) {
    return copy(tlsListen, plain, tls, peers, nativeTls);
  }

  /** The same with BoringSSL allowed or not. */
  public FrontConfig withNativeTls(boolean allowed) {
    return copy(tlsListen, proxyProtocol, tlsProxyProtocol, proxies, allowed);
  }

  private FrontConfig copy(
      @Nullable InetSocketAddress at, boolean plain, boolean tls, List<String> peers, boolean ssl) {
    return new FrontConfig(
        at,
        plain,
        tls,
        peers,
        ssl,
        handshakeTimeout,
        clientHelloBytesMax,
        tlsContextsMax,
        tlsSessionsMax,
        tlsSessionLife,
        streamsMax,
        streamWindowBytes,
        connectionWindowBytes,
        headerListBytesMax,
        resetsMax,
        stillbornMax,
        controlFramesMax,
        floodWindow,
        queuedFramesMax,
        emptyFramesMax,
        continuationsMax,
        upstreamStreamsMax,
        upstreamLinksMax);
  }
}
