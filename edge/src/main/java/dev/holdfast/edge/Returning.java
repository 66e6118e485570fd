package dev.holdfast.edge;

import dev.holdfast.limits.Time;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Leads visitors of apps with sticky sessions back to the endpoint that they came from, as long as
 * it is there and well; an endpoint that is only full for now is asked again the next time.
 * Confined to its event loop.
 */
final class Returning {
  /** Nothing is known of where the visitor came from, or it is no place to go to. */
  static final int ANYWHERE = -1;

  private static final int KEY_BYTES = 48;
  private static final int COOKIES_LOOKED_AT = 8;
  private static final String PREFIX = Sticky.COOKIE + "=";
  private static final String ATTRIBUTES = "; Path=/; HttpOnly; SameSite=Lax";

  private final TlsKeys keys;
  private final List<byte[]> own;
  private List<byte[]> known = List.of();
  private Sticky sticky;

  Returning(TlsKeys keys, List<byte[]> own) {
    this.keys = keys;
    this.own = own;
    sticky = new Sticky(own);
  }

  /** Keys for a platform that has none to share between its nodes. */
  static List<byte[]> ownKeys(Time time) {
    var key = new byte[KEY_BYTES];
    time.random().nextBytes(key);
    return List.of(key);
  }

  @SuppressWarnings("ReferenceEquality") // keys are rotated by replacing the list
  private Sticky sticky() {
    var now = keys.ticketKeys();
    if (now != known) {
      known = now;
      sticky = new Sticky(now.isEmpty() ? own : now);
    }
    return sticky;
  }

  /** What a visitor brought. */
  static final class Token {
    @Nullable String value;
    boolean kept;

    void reset() {
      value = null;
      kept = false;
    }
  }

  /** The index of the endpoint that the visitor comes back to, or {@link #ANYWHERE}. */
  int home(Request asked, Place place, Candidates candidates, Token token) {
    token.kept = false;
    var service = place.serviceName();
    var id = service == null ? null : opened(asked.head, service, token);
    int index = id == null ? ANYWHERE : place.indexOf(id);
    if (index < 0 || !candidates.usable(index) || candidates.out(index)) {
      return ANYWHERE;
    }
    token.kept = true;
    return candidates.outstanding(index) < candidates.cap(index) ? index : ANYWHERE;
  }

  private @Nullable String opened(Head head, String service, Token token) {
    int looked = 0;
    for (int i = head.find(Name.COOKIE); i >= 0; i = head.find(Name.COOKIE, i + 1)) {
      var pairs = head.text(head.valueAt(i), head.valueEnd(i));
      for (int at = pairs.indexOf(PREFIX); at >= 0; at = pairs.indexOf(PREFIX, at + 1)) {
        if (!begins(pairs, at) || ++looked > COOKIES_LOOKED_AT) {
          continue;
        }
        int end = pairs.indexOf(';', at);
        var value = pairs.substring(at + PREFIX.length(), end < 0 ? pairs.length() : end).strip();
        var id = sticky().open(service, value);
        if (id != null) {
          token.value = value;
          return id;
        }
      }
    }
    return null;
  }

  private static boolean begins(String pairs, int at) {
    return at == 0 || pairs.charAt(at - 1) == ' ' || pairs.charAt(at - 1) == ';';
  }

  /** The line that sets the cookie, or null when the visitor has the right one. */
  byte @Nullable [] line(Target target, Token token, boolean secure) {
    if (target.service().isEmpty() || (token.kept && !leads(target, token))) {
      return null;
    }
    var value = sticky().seal(target.service(), target.id());
    return value.equals(token.value)
        ? null
        : Bytes.ascii(
            "Set-Cookie: " + PREFIX + value + ATTRIBUTES + (secure ? "; Secure\r\n" : "\r\n"));
  }

  private boolean leads(Target target, Token token) {
    return token.value != null && target.id().equals(sticky().open(target.service(), token.value));
  }
}
