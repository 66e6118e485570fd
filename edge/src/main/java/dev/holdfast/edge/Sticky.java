package dev.holdfast.edge;

import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * The value of the cookie that leads a visitor back to the endpoint that he came from, signed, so
 * that nobody chooses an endpoint by himself: {@code base64url(id).base64url(hmac)}, where the HMAC
 * (RFC 2104, SHA-256, cut to 128 bits) covers the service too. Thread-safe.
 *
 * <p>The secrets are the keys that session tickets are sealed with: all nodes share them, and they
 * are rotated. The newest seals, all of them open.
 */
final class Sticky {
  /** Name of the cookie. */
  static final String COOKIE = "holdfast-sticky";

  private static final String ALGORITHM = "HmacSHA256";
  private static final int TAG_BYTES = 16;
  private static final int VALUE_CHARS_MAX = 512;
  private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();
  private static final Base64.Decoder DECODER = Base64.getUrlDecoder();
  private static final byte[] PURPOSE = Bytes.ascii("holdfast sticky session 1\0");

  private final List<SecretKeySpec> secrets;

  /** Signs with the first of these keys, which are not empty. */
  Sticky(List<byte[]> keys) {
    secrets = keys.stream().map(key -> new SecretKeySpec(key, ALGORITHM)).toList();
  }

  /** The cookie's value for an endpoint of that service. */
  String seal(String service, String endpointId) {
    var id = endpointId.getBytes(StandardCharsets.UTF_8);
    var tag = tag(secrets.getFirst(), service, id);
    return ENCODER.encodeToString(id) + "." + ENCODER.encodeToString(tag);
  }

  /** The endpoint's id, or null when the value is not one of ours for that service. */
  @Nullable String open(String service, String value) {
    int dot = value.indexOf('.');
    if (dot <= 0 || value.length() > VALUE_CHARS_MAX) {
      return null;
    }
    try {
      var id = DECODER.decode(value.substring(0, dot));
      var tag = DECODER.decode(value.substring(dot + 1));
      for (var secret : secrets) {
        if (MessageDigest.isEqual(tag, tag(secret, service, id))) {
          return new String(id, StandardCharsets.UTF_8);
        }
      }
      return null;
    } catch (IllegalArgumentException e) {
      return null; // not base64, so not ours
    }
  }

  private static byte[] tag(SecretKeySpec secret, String service, byte[] id) {
    try {
      var mac = Mac.getInstance(ALGORITHM);
      mac.init(secret);
      mac.update(PURPOSE);
      mac.update(service.getBytes(StandardCharsets.UTF_8));
      mac.update((byte) 0);
      return Arrays.copyOf(mac.doFinal(id), TAG_BYTES);
    } catch (NoSuchAlgorithmException | InvalidKeyException e) {
      throw new IllegalStateException(ALGORITHM + " (expected: in every JDK)", e);
    }
  }
}
