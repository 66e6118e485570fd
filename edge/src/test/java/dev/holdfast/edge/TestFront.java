package dev.holdfast.edge;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;

/** A front whose bounds a test can reach. */
final class TestFront {
  boolean tls;
  boolean proxyProtocol;
  boolean tlsProxyProtocol;
  List<String> proxies = List.of("127.0.0.1");
  boolean nativeTls = true;
  Duration handshakeTimeout = Duration.ofSeconds(5);
  int clientHelloBytesMax = 16 * 1024;
  int tlsContextsMax = 100;
  int streamsMax = 100;
  int headerListBytesMax = 64 * 1024;
  int resetsMax = 200;
  int stillbornMax = 200;
  int controlFramesMax = 500;
  int upstreamStreamsMax = 100;
  int upstreamLinksMax = 8;

  FrontConfig build() {
    var defaults = FrontConfig.defaults();
    return new FrontConfig(
        tls ? new InetSocketAddress(InetAddress.getLoopbackAddress(), 0) : null,
        proxyProtocol,
        tlsProxyProtocol,
        proxies,
        nativeTls,
        handshakeTimeout,
        clientHelloBytesMax,
        tlsContextsMax,
        defaults.tlsSessionsMax(),
        defaults.tlsSessionLife(),
        streamsMax,
        defaults.streamWindowBytes(),
        defaults.connectionWindowBytes(),
        headerListBytesMax,
        resetsMax,
        stillbornMax,
        controlFramesMax,
        defaults.floodWindow(),
        defaults.queuedFramesMax(),
        defaults.emptyFramesMax(),
        defaults.continuationsMax(),
        upstreamStreamsMax,
        upstreamLinksMax);
  }
}
