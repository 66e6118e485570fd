import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** A WebSocket chat (RFC 6455): rooms in memory, one reading and one writing thread per person. */
public class Chat {
  static final int CONNECTIONS_MAX = 500;
  static final int ROOMS_MAX = 100;
  static final int PEOPLE_PER_ROOM_MAX = 100;
  static final int HISTORY_MAX = 20;
  static final int MESSAGE_BYTES_MAX = 2000;
  static final int MESSAGES_PER_SECOND_MAX = 5;
  static final int WAITING_MESSAGES_MAX = 64;
  static final int HEADER_BYTES_MAX = 8192;
  static final int HEADER_MILLIS_MAX = 10_000;
  static final int PING_SECONDS = 20;
  static final int SILENCE_MILLIS_MAX = 60_000;

  static final int TEXT = 1;
  static final int BINARY = 2;
  static final int CLOSE = 8;
  static final int PING = 9;
  static final int PONG = 10;

  private static final String KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

  private final Map<String, Room> rooms = new HashMap<>(); // guarded by itself
  private final Semaphore connections = new Semaphore(CONNECTIONS_MAX);
  private final byte[] page;

  Chat(byte[] page) {
    this.page = page;
  }

  public static void main(String[] args) throws IOException {
    var port = System.getenv("PORT");
    var chat = new Chat(Files.readAllBytes(Path.of("chat.html")));
    try (var listener = new ServerSocket(port == null ? 3000 : Integer.parseInt(port), 128)) {
      Runtime.getRuntime().addShutdownHook(new Thread(chat::end));
      System.out.println("listening on " + listener.getLocalPort());
      while (true) {
        var socket = listener.accept();
        if (chat.connections.tryAcquire()) {
          start("reader", () -> chat.serve(socket));
        } else {
          socket.close();
        }
      }
    }
  }

  private static void start(String name, Runnable work) {
    var thread = new Thread(null, work, name, 256 << 10);
    thread.setDaemon(true);
    thread.start();
  }

  /** SIGTERM: everybody is told to come back, and has a moment to hear it. */
  private void end() {
    synchronized (rooms) {
      for (var room : rooms.values()) {
        for (var person : room.people) {
          person.close(1001, "the chat restarts");
        }
      }
    }
    try {
      Thread.sleep(500);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  // ---- HTTP -----------------------------------------------------------------------------------

  private void serve(Socket socket) {
    try (socket) {
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(HEADER_MILLIS_MAX);
      var in = new BufferedInputStream(socket.getInputStream(), 4096);
      var lines = header(in).split("\r\n");
      var request = lines[0].split(" ");
      var headers = new HashMap<String, String>();
      for (int i = 1; i < lines.length; i++) {
        int colon = lines[i].indexOf(':');
        if (colon > 0) {
          headers.put(
              lines[i].substring(0, colon).toLowerCase(Locale.ROOT),
              lines[i].substring(colon + 1).strip());
        }
      }
      var path = request.length == 3 ? request[1] : "";
      if (request.length != 3 || !request[0].equals("GET")) {
        answer(socket, "405 Method Not Allowed", "text/plain", "GET only\n".getBytes(UTF_8));
      } else if (path.equals("/")) {
        answer(socket, "200 OK", "text/html; charset=utf-8", page);
      } else if (path.matches("/ws/[a-z0-9-]{1,32}")) {
        upgrade(socket, in, headers, path.substring(4));
      } else {
        answer(socket, "404 Not Found", "text/plain", "no such page\n".getBytes(UTF_8));
      }
    } catch (IOException e) {
      // The visitor went away or talked nonsense: nobody is left to tell.
    } finally {
      connections.release();
    }
  }

  private static String header(InputStream in) throws IOException {
    var header = new ByteArrayOutputStream();
    int end = 0; // how much of CR LF CR LF was seen
    while (end < 4) {
      int b = in.read();
      if (b < 0 || header.size() >= HEADER_BYTES_MAX) {
        throw new EOFException("no whole header");
      }
      header.write(b);
      end = b == (end % 2 == 0 ? '\r' : '\n') ? end + 1 : b == '\r' ? 1 : 0;
    }
    return header.toString(ISO_8859_1);
  }

  private static void answer(Socket socket, String status, String type, byte[] body)
      throws IOException {
    var head =
        "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n"
                .formatted(status, type, body.length)
            + "X-Content-Type-Options: nosniff\r\n"
            + "Content-Security-Policy: default-src 'none'; script-src 'unsafe-inline';"
            + " style-src 'unsafe-inline'; connect-src 'self'\r\n\r\n";
    var out = socket.getOutputStream();
    out.write(head.getBytes(ISO_8859_1));
    out.write(body);
    out.flush();
  }

  /** The opening handshake (section 4.2), then the person's whole stay. */
  private void upgrade(Socket socket, InputStream in, Map<String, String> headers, String roomName)
      throws IOException {
    var key = headers.getOrDefault("sec-websocket-key", "");
    boolean asked =
        headers.getOrDefault("upgrade", "").equalsIgnoreCase("websocket")
            && headers.getOrDefault("connection", "").toLowerCase(Locale.ROOT).contains("upgrade")
            && key.matches("[A-Za-z0-9+/]{22}==");
    // A page elsewhere must not talk in the name of its visitor (section 10.2).
    var origin = headers.get("origin");
    boolean ours =
        origin == null || origin.replaceFirst("^https?://", "").equals(headers.get("host"));
    if (!asked || !"13".equals(headers.get("sec-websocket-version"))) {
      var why = "a WebSocket handshake, version 13, is expected here\n";
      answer(socket, "400 Bad Request", "text/plain", why.getBytes(UTF_8));
      return;
    }
    if (!ours) {
      answer(socket, "403 Forbidden", "text/plain", "another origin\n".getBytes(UTF_8));
      return;
    }
    var out = socket.getOutputStream();
    out.write(
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: "
                + accept(key)
                + "\r\n\r\n")
            .getBytes(ISO_8859_1));
    socket.setSoTimeout(SILENCE_MILLIS_MAX);
    var person = new Person(socket);
    start("writer", person::write);
    var room = enter(roomName, person);
    try {
      if (room == null) {
        person.close(1013, "full; come back later");
      } else {
        converse(in, room, person);
      }
    } catch (Violation e) {
      person.close(e.code, e.getMessage());
    } finally {
      if (room != null) {
        leave(room, person);
      }
      person.close(1000, "");
      person.awaitWritten();
      // Closing over unread bytes would reset the connection and lose the close frame.
      socket.setSoTimeout(1000);
      in.readNBytes(64 << 10);
    }
  }

  private static String accept(String key) {
    try {
      var sha1 = MessageDigest.getInstance("SHA-1");
      return Base64.getEncoder().encodeToString(sha1.digest((key + KEY_SUFFIX).getBytes(UTF_8)));
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  // ---- Rooms ----------------------------------------------------------------------------------

  private static final class Room {
    final String name;
    final Set<Person> people = new LinkedHashSet<>();
    final ArrayDeque<String> history = new ArrayDeque<>();

    Room(String name) {
      this.name = name;
    }
  }

  private Room enter(String name, Person person) {
    synchronized (rooms) {
      var room = rooms.get(name);
      if (room == null && rooms.size() < ROOMS_MAX) {
        room = new Room(name);
        rooms.put(name, room);
      }
      if (room == null || room.people.size() >= PEOPLE_PER_ROOM_MAX) {
        return null;
      }
      room.people.add(person);
      room.history.forEach(message -> person.send(TEXT, message.getBytes(UTF_8)));
      return room;
    }
  }

  private void leave(Room room, Person person) {
    synchronized (rooms) {
      room.people.remove(person);
      if (room.people.isEmpty()) {
        rooms.remove(room.name);
      }
    }
  }

  private void say(Room room, String message) {
    synchronized (rooms) {
      room.history.add(message);
      if (room.history.size() > HISTORY_MAX) {
        room.history.remove();
      }
      room.people.forEach(person -> person.send(TEXT, message.getBytes(UTF_8)));
    }
  }

  // ---- Frames (section 5) -----------------------------------------------------------------------

  /** What the other side did against the protocol or the house's bounds. */
  private static final class Violation extends IOException {
    private static final long serialVersionUID = 1;
    final int code;

    Violation(int code, String message) {
      super(message);
      this.code = code;
    }
  }

  private void converse(InputStream in, Room room, Person person) throws IOException {
    var message = new ByteArrayOutputStream();
    boolean fragmented = false;
    long second = 0;
    int spoken = 0;
    while (true) {
      int first = next(in);
      int opcode = first & 15;
      boolean last = (first & 0x80) != 0;
      if ((first & 0x70) != 0) {
        throw new Violation(1002, "reserved bits without an extension");
      }
      byte[] payload = payload(in, opcode, last, message.size());
      switch (opcode) {
        case 0, TEXT -> {
          if ((opcode == TEXT) == fragmented) {
            throw new Violation(1002, "fragments out of order");
          }
          message.write(payload);
          fragmented = !last;
          if (last) {
            long now = System.nanoTime() / 1_000_000_000L;
            spoken = now == second ? spoken + 1 : 1;
            second = now;
            if (spoken > MESSAGES_PER_SECOND_MAX) {
              throw new Violation(
                  1008, "more than " + MESSAGES_PER_SECOND_MAX + " messages a second");
            }
            say(room, text(message.toByteArray()));
            message.reset();
          }
        }
        case PING -> person.send(PONG, payload);
        case PONG -> {}
        case CLOSE -> {
          // The answer repeats the code (section 5.5.1) when it is one that may be sent.
          int code = payload.length >= 2 ? ((payload[0] & 255) << 8) | (payload[1] & 255) : 1000;
          boolean valid =
              payload.length != 1
                  && ((code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006)
                      || (code >= 3000 && code <= 4999));
          person.close(valid ? code : 1002, "");
          return;
        }
        case BINARY -> throw new Violation(1003, "text only");
        default -> throw new Violation(1002, "unknown opcode " + opcode);
      }
    }
  }

  private static byte[] payload(InputStream in, int opcode, boolean last, int before)
      throws IOException {
    int second = next(in);
    if ((second & 0x80) == 0) {
      throw new Violation(1002, "a client has to mask its frames");
    }
    long length = second & 127;
    if (opcode >= CLOSE && (length > 125 || !last)) {
      throw new Violation(1002, "a control frame is short and whole");
    }
    if (length >= 126) {
      int bytes = length == 126 ? 2 : 8;
      length = 0;
      for (int i = 0; i < bytes; i++) {
        length = (length << 8) | next(in);
      }
    }
    boolean control = opcode >= CLOSE;
    if (length < 0 || length > MESSAGE_BYTES_MAX - (control ? 0 : before)) {
      throw new Violation(1009, "at most " + MESSAGE_BYTES_MAX + " bytes");
    }
    byte[] mask = exactly(in, 4);
    byte[] payload = exactly(in, (int) length);
    for (int i = 0; i < payload.length; i++) {
      payload[i] ^= mask[i & 3];
    }
    return payload;
  }

  private static String text(byte[] bytes) throws Violation {
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new Violation(1007, "not UTF-8");
    }
  }

  private static int next(InputStream in) throws IOException {
    int b = in.read();
    if (b < 0) {
      throw new EOFException();
    }
    return b;
  }

  private static byte[] exactly(InputStream in, int length) throws IOException {
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new EOFException();
    }
    return bytes;
  }

  // ---- People ---------------------------------------------------------------------------------

  /** One connection's outgoing side: a bounded queue and the thread that empties it. */
  private static final class Person {
    private final Socket socket;
    private final BlockingQueue<byte[]> waiting = new ArrayBlockingQueue<>(WAITING_MESSAGES_MAX);
    private final AtomicBoolean closing = new AtomicBoolean();
    private final Semaphore written = new Semaphore(0);
    private volatile byte[] lastFrame;

    Person(Socket socket) {
      this.socket = socket;
    }

    /** Queues a frame; who does not keep up with reading is cut off. */
    void send(int opcode, byte[] payload) {
      if (!closing.get() && !waiting.offer(frame(opcode, payload))) {
        close(1013, "too slow");
      }
    }

    /** Queues the last frame. */
    void close(int code, String reason) {
      if (closing.compareAndSet(false, true)) {
        byte[] words = reason.getBytes(UTF_8);
        var payload = ByteBuffer.allocate(2 + words.length).putShort((short) code).put(words);
        lastFrame = frame(CLOSE, payload.array());
        if (!waiting.offer(lastFrame)) {
          // What waited is lost to a reader who would not have read it.
          waiting.clear();
          waiting.add(lastFrame);
        }
      }
    }

    void write() {
      try {
        var out = socket.getOutputStream();
        for (byte[] frame = null; frame == null || frame != lastFrame; ) {
          frame = waiting.poll(PING_SECONDS, TimeUnit.SECONDS);
          out.write(frame == null ? frame(PING, new byte[0]) : frame);
        }
        socket.shutdownOutput();
      } catch (IOException | InterruptedException e) {
        // The reading side notices the closed socket below and leaves the room.
      } finally {
        written.release();
        closeAfterGrace();
      }
    }

    /** The other side may answer the close; a reader that is stuck is woken in the end. */
    private void closeAfterGrace() {
      try {
        Thread.sleep(1000);
        socket.close();
      } catch (IOException | InterruptedException e) {
        // It was closed already.
      }
    }

    void awaitWritten() {
      try {
        written.tryAcquire(2, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    private static byte[] frame(int opcode, byte[] payload) {
      var frame = ByteBuffer.allocate(4 + payload.length).put((byte) (0x80 | opcode));
      if (payload.length < 126) {
        frame.put((byte) payload.length);
      } else {
        frame.put((byte) 126).putShort((short) payload.length);
      }
      frame.put(payload);
      return java.util.Arrays.copyOf(frame.array(), frame.position());
    }
  }
}
