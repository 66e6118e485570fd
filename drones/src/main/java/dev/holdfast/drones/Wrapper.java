package dev.holdfast.drones;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The POSIX shell text that stands between this JVM and an app, so that neither needs the other to
 * live. Immutable.
 *
 * <p>Three scripts, one process each at run time:
 *
 * <ul>
 *   <li>{@code wrapper} waits for the app and writes its exit status; beside it the <em>pump</em>,
 *       a copy of the same shell, cuts the app's output into files with {@code dd}. The two meet in
 *       a named pipe that is unlinked as soon as both have it open.
 *   <li>{@code begin} decides by an exclusive {@code ln} whether this run may start at all, then
 *       becomes the app: own session, own user, own directory.
 *   <li>{@code start} is the first script with the app's rights: only here do the app's variables
 *       become variables. Before, each travels as the <em>value</em> of {@code HOLDFAST_ENV_n}, so
 *       that a variable like LD_PRELOAD never touches a process with the server's rights.
 * </ul>
 *
 * <p>The app runs in the foreground of its wrapper, because POSIX shells start background commands
 * with SIGINT and SIGQUIT ignored, and an ignored signal stays ignored in every descendant.
 */
final class Wrapper {
  static final String WRAPPER = "wrapper";
  static final String BEGIN = "begin";
  static final String START = "start";
  private static final String CARRIER = "HOLDFAST_ENV_";

  private Wrapper() {}

  /** The script that waits, and pumps. */
  static String wrapper(Tools tools) {
    return """
    umask 077
    trap : HUP INT QUIT TERM USR1 USR2
    pump() {
      trap '' HUP INT QUIT TERM USR1 USR2
      cd log || exit 1
      n=1
      while :; do
        chunk=$(printf %%08d "$n")
        if %1$s bs=1024 count=4096 of="$chunk" 2>/dev/null; then
          [ -s "$chunk" ] || break
        else
          # The disk is full: the app goes on, its output does not.
          case $(LC_ALL=C %1$s bs=1024 count=4096 2>&1 >/dev/null) in
            0+0*) break ;;
          esac
        fi
        %2$s -f "$(printf %%08d "$((n - 1))")"
        n=$((n + 1))
      done
      %2$s -f "$chunk"
      : >closed
    }
    %3$s -m 0622 pipe || exit 70
    pump <pipe >/dev/null 2>/dev/null &
    (exec %4$s begin </dev/null >pipe 2>&1)
    code=$?
    read -r first rest <pid || exit 70
    [ "$first" = fenced ] && exit 0
    tries=0
    until echo "$code" >status.tmp && %5$s status.tmp status; do
      tries=$((tries + 1))
      [ "$tries" -lt 10 ] || break
      %6$s 1
    done
    exit "$code"
    """
        .formatted(tools.dd(), tools.rm(), tools.mkfifo(), tools.sh(), tools.mv(), tools.sleep());
  }

  /** The script that becomes the app; {@code uid} is -1 when it keeps the server's user. */
  static String begin(Tools tools, long uid) {
    var drop = new ArrayList<String>(List.of(tools.setsid().toString()));
    if (uid >= 0 && tools.setpriv() != null) {
      drop.add(tools.setpriv().toString());
      drop.addAll(List.of("--reuid", "" + uid, "--regid", "" + uid));
      drop.addAll(List.of("--clear-groups", "--no-new-privs"));
    }
    return """
    born() {
      read -r stat <"/proc/$1/stat" || exit 70
      set -- ${stat##*) }
      shift 19
      echo "$1"
    }
    ulimit -c 0
    echo 300 >/proc/self/oom_score_adj
    read -r boot </proc/sys/kernel/random/boot_id || exit 70
    echo $$ "$(born $$)" "$PPID" "$(born "$PPID")" "$boot" >pid.tmp || exit 70
    %1$s pid.tmp pid || exit 75
    %2$s -f pid.tmp pipe
    umask 022
    cd app || exit 70
    exec %3$s %4$s ../start
    """
        .formatted(tools.ln(), tools.rm(), String.join(" ", drop), tools.sh());
  }

  /**
   * The script that unwraps {@code count} variables and the command line. The shell that runs the
   * command line stays until its command ended: by default it would die of the SIGTERM that the
   * whole session gets, and the app would lose the time that it has to end in order.
   */
  static String start(Tools tools, int count) {
    var text = new StringBuilder("unset LC_ALL OLDPWD\n");
    var carriers = new StringBuilder("unset HOLDFAST_ENV");
    for (int i = 0; i <= count; i++) {
      // The x keeps newlines at the end of the value, which $( ) would eat.
      text.append("HOLDFAST_ENV=$(printf '%bx' \"$").append(CARRIER).append(i).append("\")\n");
      text.append(i == 0 ? "set -- " : "export ").append("\"${HOLDFAST_ENV%x}\"\n");
      carriers.append(' ').append(CARRIER).append(i);
    }
    return text.append(carriers)
        .append('\n')
        .append(
            """
            holdfast_profile() {
              if [ -f ./.profile ]; then
                . ./.profile
              fi
            }
            holdfast_profile
            exec %s -c "trap 'exit 143' TERM
            $1"
            """
                .formatted(tools.sh()))
        .toString();
  }

  /** Fills the environment of the wrapper: the command line first, then every variable. */
  static void carry(
      Map<String, String> environment, String command, Map<String, String> variables) {
    environment.clear();
    environment.put("PATH", Tools.SANE_PATH);
    environment.put("LC_ALL", "C");
    int i = 0;
    environment.put(CARRIER + i, escaped(command));
    for (var variable : variables.entrySet()) {
      i++;
      environment.put(CARRIER + i, escaped(variable.getKey() + "=" + variable.getValue()));
    }
  }

  /**
   * The text for {@code printf %b}, in ASCII: the JVM would otherwise encode it as its own locale
   * says, which under LANG=C turns every umlaut into a question mark.
   */
  private static String escaped(String text) {
    var out = new StringBuilder(text.length() + 16);
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      if (b >= ' ' && b < 0x7F && b != '\\') {
        out.append((char) b);
      } else {
        out.append("\\0").append("%03o".formatted(b & 0xFF));
      }
    }
    return out.toString();
  }
}
