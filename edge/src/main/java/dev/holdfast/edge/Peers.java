package dev.holdfast.edge;

import dev.holdfast.limits.Check;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Addresses and networks of other machines (RFC 4632, RFC 4291). Immutable. */
final class Peers {
  @SuppressWarnings("ArrayRecordComponent") // nobody compares networks or changes them
  private record Network(byte[] address, int bits) {
    boolean holds(byte[] other) {
      if (other.length != address.length) {
        return false;
      }
      int whole = bits / Byte.SIZE;
      for (int i = 0; i < whole; i++) {
        if (other[i] != address[i]) {
          return false;
        }
      }
      int rest = bits % Byte.SIZE;
      return rest == 0 || ((other[whole] ^ address[whole]) & 0xff) >> (Byte.SIZE - rest) == 0;
    }
  }

  private final List<Network> networks;

  private Peers(List<Network> networks) {
    this.networks = networks;
  }

  static Peers of(List<String> texts) {
    return new Peers(texts.stream().map(Peers::network).toList());
  }

  /** Refuses what is neither an address nor a network. */
  static void check(String text) {
    var _ = network(text);
  }

  boolean holds(@Nullable InetAddress address) {
    if (address == null) {
      return false;
    }
    var bytes = address.getAddress();
    for (int i = 0; i < networks.size(); i++) {
      if (networks.get(i).holds(bytes)) {
        return true;
      }
    }
    return false;
  }

  private static Network network(String text) {
    int slash = text.indexOf('/');
    var address =
        NetUtil.createByteArrayFromIpAddressString(slash < 0 ? text : text.substring(0, slash));
    int bits = -1;
    if (address != null) {
      bits = slash < 0 ? address.length * Byte.SIZE : number(text.substring(slash + 1));
    }
    Check.that(
        address != null && bits >= 0 && bits <= address.length * Byte.SIZE,
        "proxies",
        text,
        "an address such as 10.1.2.3 or a network such as 10.0.0.0/8 or fd00::/8");
    if (address == null) {
      throw new IllegalStateException("checked above");
    }
    return new Network(address, bits);
  }

  private static int number(String digits) {
    return digits.length() >= 1 && digits.length() <= 3 && digits.chars().allMatch(Octets::digit)
        ? Integer.parseInt(digits)
        : -1;
  }
}
