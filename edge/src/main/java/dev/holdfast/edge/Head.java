package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The head of one message, or the trailers after a chunked body: the bytes as they came, and where
 * in them each field stands. It makes no objects of fields and is used again for the next message.
 * Confined to its event loop.
 *
 * <p>Fields are read strictly: {@code token ":" OWS value OWS CRLF}, no folding, no blank before
 * the colon, no bare line end (RFC 9112 section 5). It is our own because a lenient decoder in
 * front hides exactly what has to be refused: a fold that was unfolded and a line end that was
 * forgiven can no longer be seen in its result.
 *
 * <p>Behind the head there is room for text that belongs to the message without being part of it,
 * see {@link #note}.
 */
final class Head {
  /** How many bytes are looked at first; nearly every head is smaller. */
  private static final int GLANCE = 1024;

  private static final int BYTES_INITIAL = 2048;
  private static final int BYTES_KEPT = 16 * 1024;
  private static final int FIELDS_INITIAL = 48;
  private static final int FIELDS_KEPT = 256;

  byte[] bytes = new byte[BYTES_INITIAL];
  private int[] nameAt = new int[FIELDS_INITIAL];
  private int[] nameEnd = new int[FIELDS_INITIAL];
  private int[] valueAt = new int[FIELDS_INITIAL];
  private int[] valueEnd = new int[FIELDS_INITIAL];
  private byte[] ids = new byte[FIELDS_INITIAL];
  private int count;
  private long present;
  private long repeated;
  private int length;
  private int line;
  private int looked;
  private int fieldsAt;
  private int end;
  private boolean done;
  private Limits limits = new Limits(0, 0, 0, 0, 0);

  /** Largest sizes, each in bytes but for the count. */
  record Limits(int startLine, int fieldLine, int name, int count, int bytes) {}

  /** Ready for a new message. */
  Head reset(Limits next) {
    limits = next;
    count = 0;
    present = 0;
    repeated = 0;
    length = 0;
    line = 0;
    looked = 0;
    fieldsAt = 0;
    done = false;
    return this;
  }

  /** Whether it is small enough to be kept for another message. */
  boolean handy() {
    return bytes.length <= BYTES_KEPT && ids.length <= FIELDS_KEPT;
  }

  /** Whether everything up to and with the empty line is here. */
  boolean done() {
    return done;
  }

  /** How many bytes are here. */
  int length() {
    return length;
  }

  // Reading

  /**
   * Takes bytes up to the end of the start line.
   *
   * @return the index of its CR; or a negative sign, see {@link Line}
   */
  int startLine(ByteBuf in) {
    while (true) {
      int end = lineEnd(limits.startLine());
      if (end != Line.MORE || !take(in)) {
        return end;
      }
    }
  }

  /** Goes on behind the start line, or behind an empty line before it. */
  void skipLine(int end) {
    line = end + 2;
    looked = line;
    fieldsAt = line;
  }

  /** The first byte of the line that is read, or -1 when none came. */
  int peek(ByteBuf in) {
    return line < length || take(in) ? bytes[line] : -1;
  }

  /** Where the line that is read begins. */
  int lineAt() {
    return line;
  }

  /** Takes fields; null unless something is wrong. */
  @Nullable Fault fields(ByteBuf in) {
    while (!done) {
      var fault = lines();
      if (fault != null) {
        return fault;
      }
      if (!done && !take(in)) {
        return null;
      }
    }
    giveBack(in);
    return null;
  }

  /** Copies more of what came, by and by, so that a body behind the head is not copied. */
  private boolean take(ByteBuf in) {
    int more = Math.min(in.readableBytes(), Math.max(GLANCE, length));
    if (more == 0) {
      return false;
    }
    room(more);
    in.readBytes(bytes, length, more);
    length += more;
    return true;
  }

  /** What lies behind the head is not ours. */
  private void giveBack(ByteBuf in) {
    in.readerIndex(in.readerIndex() - (length - line));
    length = line;
    end = line;
  }

  private int lineEnd(int max) {
    int i = looked;
    while (i < length && bytes[i] != '\n') {
      i++;
    }
    if (i == length) {
      looked = i;
      return length - line > max + 1 ? Line.TOO_LONG : Line.MORE;
    }
    if (i == line || bytes[i - 1] != '\r') {
      return Line.BAD_END;
    }
    return i - 1 - line > max ? Line.TOO_LONG : i - 1;
  }

  /** Reads the lines that are here; each is looked through once, and again only when it was cut. */
  private @Nullable Fault lines() {
    while (!done && line < length) {
      if (looked > line && lineEnd(limits.fieldLine()) == Line.MORE) {
        break; // it was cut, and its end is still not here
      }
      int end = field();
      if (end == Line.MORE) {
        looked = length;
        return length - line > limits.fieldLine() + 1 ? Fault.FIELDS_LARGE : null;
      }
      if (end < 0) {
        return end == Line.TOO_LONG ? Fault.FIELDS_LARGE : Fault.FIELD;
      }
      line = end;
      looked = end;
      if (!done && line - fieldsAt > limits.bytes()) {
        return Fault.FIELDS_LARGE;
      }
    }
    return length - line > limits.fieldLine() + 1 && !done ? Fault.FIELDS_LARGE : null;
  }

  /** Reads one line and says where the next begins, or a negative sign. */
  private int field() {
    var b = bytes;
    int from = line;
    int to = length;
    if (b[from] == '\r') {
      if (from + 1 == to) {
        return Line.MORE;
      }
      done = b[from + 1] == '\n';
      return done ? from + 2 : Line.BAD_END;
    }
    int colon = Octets.tokenEnd(b, from, to);
    if (colon == to) {
      return Line.MORE;
    }
    if (b[colon] != ':' || colon == from) {
      return Line.BAD_END;
    }
    int value = colon + 1;
    while (value < to && Octets.blank(b[value])) {
      value++;
    }
    int end = Octets.control(b, value, to);
    while (end < to && b[end] == '\t') {
      end = Octets.control(b, end + 1, to);
    }
    if (end == to || (b[end] == '\r' && end + 1 == to)) {
      return Line.MORE;
    }
    if (b[end] != '\r' || b[end + 1] != '\n') {
      return Line.BAD_END;
    }
    if (end - from > limits.fieldLine()
        || colon - from > limits.name()
        || count >= limits.count()) {
      return Line.TOO_LONG;
    }
    int last = end;
    while (last > value && Octets.blank(b[last - 1])) {
      last--;
    }
    add(from, colon, value, last);
    return end + 2;
  }

  private void add(int from, int colon, int value, int end) {
    if (count == ids.length) {
      grow();
    }
    int id = Name.of(bytes, from, colon);
    nameAt[count] = from;
    nameEnd[count] = colon;
    valueAt[count] = value;
    valueEnd[count] = end;
    ids[count] = (byte) id;
    count++;
    repeated |= present & 1L << id;
    present |= 1L << id;
  }

  private void grow() {
    int size = ids.length * 2;
    nameAt = Arrays.copyOf(nameAt, size);
    nameEnd = Arrays.copyOf(nameEnd, size);
    valueAt = Arrays.copyOf(valueAt, size);
    valueEnd = Arrays.copyOf(valueEnd, size);
    ids = Arrays.copyOf(ids, size);
  }

  private void room(int more) {
    if (length + more > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
    }
  }

  // What was read

  int count() {
    return count;
  }

  int id(int i) {
    return ids[i];
  }

  int nameAt(int i) {
    return nameAt[i];
  }

  int nameEnd(int i) {
    return nameEnd[i];
  }

  int valueAt(int i) {
    return valueAt[i];
  }

  int valueEnd(int i) {
    return valueEnd[i];
  }

  /** Where the line after field {@code i} begins. */
  int next(int i) {
    return i + 1 < count ? nameAt[i + 1] : end - 2;
  }

  /** Where the body begins: behind the empty line. */
  int end() {
    return end;
  }

  /** Whether field {@code i} is written as everybody writes it, so that its bytes can be passed. */
  boolean plain(int i) {
    return valueAt[i] == nameEnd[i] + 2
        && bytes[nameEnd[i] + 1] == ' '
        && valueEnd[i] + 2 == next(i);
  }

  /** Where the fields begin. */
  int fieldsAt() {
    return fieldsAt;
  }

  /** Whether a field of that name is here. */
  boolean has(int id) {
    return Name.in(present, id);
  }

  /** Whether there is more than one field of that name. */
  boolean repeats(int id) {
    return Name.in(repeated, id);
  }

  /** The index of the first field of that name, or -1. */
  int find(int id) {
    return has(id) ? find(id, 0) : -1;
  }

  /** The index of the next field of that name, or -1. */
  int find(int id, int from) {
    for (int i = from; i < count; i++) {
      if (ids[i] == id) {
        return i;
      }
    }
    return -1;
  }

  /** Whether the value of field {@code i} is that lower-case word, letters without case. */
  boolean value(int i, byte[] word) {
    return Octets.same(bytes, valueAt[i], valueEnd[i], word);
  }

  /** Whether a member of the lists in the fields of that name is that lower-case word. */
  boolean lists(int id, byte[] word) {
    for (int i = find(id); i >= 0; i = find(id, i + 1)) {
      int at = valueAt[i];
      while (at < valueEnd[i]) {
        int comma = comma(at, valueEnd[i]);
        if (Octets.same(bytes, memberAt(at, comma), memberEnd(at, comma), word)) {
          return true;
        }
        at = comma + 1;
      }
    }
    return false;
  }

  /** Whether the name of field {@code of} is a member of the lists in the fields of that name. */
  boolean listsName(int id, int of) {
    for (int i = find(id); i >= 0; i = find(id, i + 1)) {
      int at = valueAt[i];
      while (at < valueEnd[i]) {
        int comma = comma(at, valueEnd[i]);
        if (sameName(of, memberAt(at, comma), memberEnd(at, comma))) {
          return true;
        }
        at = comma + 1;
      }
    }
    return false;
  }

  private boolean sameName(int field, int from, int to) {
    int name = nameAt[field];
    if (to - from != nameEnd[field] - name) {
      return false;
    }
    for (int i = from; i < to; i++) {
      if (Octets.lower(bytes[i]) != Octets.lower(bytes[name + i - from])) {
        return false;
      }
    }
    return true;
  }

  /** Where the member of a list that begins at {@code at} ends. */
  int comma(int at, int end) {
    int i = at;
    while (i < end && bytes[i] != ',') {
      i++;
    }
    return i;
  }

  int memberAt(int at, int comma) {
    int i = at;
    while (i < comma && Octets.blank(bytes[i])) {
      i++;
    }
    return i;
  }

  int memberEnd(int at, int comma) {
    int i = comma;
    while (i > at && Octets.blank(bytes[i - 1])) {
      i--;
    }
    return i;
  }

  /** The text of a range; only for what is rare. */
  String text(int from, int to) {
    return new String(bytes, from, to - from, ISO_8859_1);
  }

  // Notes behind the head

  /** Room for that many bytes behind everything, and where it begins. */
  int note(int size) {
    room(size);
    int at = length;
    length += size;
    return at;
  }

  /** Writes those bytes behind everything and says where they begin. */
  int note(byte[] text) {
    int at = note(text.length);
    System.arraycopy(text, 0, bytes, at, text.length);
    return at;
  }

  /** Gives the end of the last note back. */
  void cutNote(int end) {
    length = end;
  }
}
