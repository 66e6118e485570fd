/*
 * The load of the contest: one thread, epoll, HTTP/1.1 keep-alive, one request at a time on each
 * connection. See usage() below.
 *
 * Closed loop (no rate): a connection asks again when its answer is complete. Open loop (a rate):
 * requests are due at fixed intervals, and latency counts from when one was due, not from when it
 * could be sent. Every answer is checked: status 200, the length of the body, and the origin that
 * belongs to the host asked for. CPU is read from the kernel's clock of each process, in ns.
 *
 * Prints one line of tab-separated values, in the order of the header that -H prints.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FDS = 20000, HEAD_MAX = 4096, READ_MAX = 1 << 17, PIDS_MAX = 64, SUB = 64, ROWS = 40 };

enum phase { IDLE, HEAD, BODY, CHUNK_SIZE, CHUNK_DATA, CHUNK_END };

struct wire {
  int fd;
  SSL *tls;
  enum phase phase;
  uint64_t due;
  unsigned host;
  int status;
  int origin;
  long want;  /* bytes of the body or chunk still to come */
  long total; /* bytes of the body so far */
  int last;   /* this chunk is the last */
  int digits; /* digits of a chunk's size are still coming */
  int fill;
  char head[HEAD_MAX + 1];
};

static struct {
  int port, conns, warm, secs, hosts, base, tls;
  double rate;
  const char *path;
  long expect;
  pid_t proxy[PIDS_MAX], origin[PIDS_MAX];
  int proxies, origins;
} opt = {.conns = 64, .warm = 1, .secs = 3, .hosts = 10, .path = "/bytes/1024", .expect = 1024};

static struct {
  uint64_t done, bad, broken, misrouted, wrong_length, late_max;
} seen;

static uint64_t histogram[ROWS * SUB]; /* in 100 ns, 64 steps for each power of two */
static struct wire *wires[FDS];
static struct wire **idle;
static int idles;
static int poller;
static struct sockaddr_in target;
static SSL_CTX *tls;
static char request[2048];
static int request_length, host_at;
static int priming;
static uint64_t state = 0x9E3779B97F4A7C15u;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t clock_ns(clockid_t id) {
  struct timespec t;
  return clock_gettime(id, &t) ? 0 : t.tv_sec * 1000000000ull + t.tv_nsec;
}

static uint64_t now(void) { return clock_ns(CLOCK_MONOTONIC); }

static uint32_t chance(void) { /* splitmix64 */
  uint64_t z = state += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return (z ^ (z >> 31)) >> 32;
}

static void record(uint64_t ns) {
  uint64_t v = ns / 100;
  int row = v < SUB ? 0 : 63 - __builtin_clzll(v) - 5;
  int at = row == 0 ? (int)v : row * SUB + (int)((v >> (row - 1)) & (SUB - 1));
  if (at >= ROWS * SUB) at = ROWS * SUB - 1;
  histogram[at]++;
}

static double percentile_us(double share) {
  uint64_t all = 0, sum = 0;
  for (int i = 0; i < ROWS * SUB; i++) all += histogram[i];
  for (int i = 0; i < ROWS * SUB; i++) {
    sum += histogram[i];
    if (all && sum >= share * all) {
      int row = i / SUB, sub = i % SUB;
      return row == 0 ? sub / 10.0 : (double)((uint64_t)(SUB + sub) << (row - 1)) / 10.0;
    }
  }
  return 0;
}

struct use {
  double cpu, user, sys;
  long rss_kib;
};

/* CPU seconds of processes; the total from their clocks, its parts from /proc in ticks. */
static struct use use_of(const pid_t *pids, int count) {
  struct use u = {0};
  double tick = sysconf(_SC_CLK_TCK);
  for (int i = 0; i < count; i++) {
    clockid_t id;
    if (!clock_getcpuclockid(pids[i], &id)) u.cpu += clock_ns(id) / 1e9;
    char name[64], line[2048];
    snprintf(name, sizeof name, "/proc/%d/stat", (int)pids[i]);
    FILE *f = fopen(name, "r");
    if (!f) continue;
    char *after = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    unsigned long user, sys;
    long pages;
    if (after &&
        sscanf(after + 2,
               "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u "
               "%*u %ld",
               &user, &sys, &pages) == 3) {
      u.user += user / tick;
      u.sys += sys / tick;
      u.rss_kib += pages * (sysconf(_SC_PAGESIZE) / 1024);
    }
    fclose(f);
  }
  return u;
}

static int pids_of(const char *list, pid_t *to) {
  int count = 0;
  for (const char *p = list; *p && count < PIDS_MAX;) {
    char *end;
    to[count++] = strtol(p, &end, 10);
    p = *end ? end + 1 : end;
  }
  return count;
}

/* Connects and, with TLS, shakes hands; blocking, since it is not what is measured. */
static int dial(struct wire *w) {
  for (int tries = 0; tries < 100; tries++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0 || fd >= FDS) die("socket");
    if (connect(fd, (struct sockaddr *)&target, sizeof target)) {
      close(fd);
      usleep(20000);
      continue;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (opt.tls) {
      w->tls = SSL_new(tls);
      SSL_set_fd(w->tls, fd);
      SSL_set_tlsext_host_name(w->tls, "app000003.bench.test");
      if (SSL_connect(w->tls) != 1) {
        SSL_free(w->tls);
        w->tls = NULL;
        close(fd);
        usleep(20000);
        continue;
      }
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    w->fd = fd;
    w->phase = IDLE;
    wires[fd] = w;
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e)) die("epoll_ctl");
    return 1;
  }
  return 0;
}

static void redial(struct wire *w) {
  wires[w->fd] = NULL;
  if (w->tls) SSL_free(w->tls);
  w->tls = NULL;
  close(w->fd);
  if (!dial(w)) die("the proxy takes no connections any more");
}

static void ask(struct wire *w, uint64_t due) {
  unsigned host = chance() % opt.hosts, digits = host;
  for (int i = 5; i >= 0; i--, digits /= 10) request[host_at + i] = '0' + digits % 10;
  w->host = host;
  w->due = due;
  w->phase = HEAD;
  w->fill = 0;
  w->status = w->origin = 0;
  w->total = 0;
  ssize_t n = w->tls ? SSL_write(w->tls, request, request_length)
                     : send(w->fd, request, request_length, MSG_NOSIGNAL);
  if (n != request_length) {
    seen.broken++;
    redial(w);
    idle[idles++] = w;
  }
}

static void finished(struct wire *w) {
  uint64_t t = now();
  seen.done++;
  record(t - w->due);
  if (w->status != 200) seen.bad++;
  if (opt.base && w->origin != opt.base + (int)(w->host % 8)) seen.misrouted++;
  if (opt.expect >= 0 && w->total != opt.expect) seen.wrong_length++;
  w->phase = IDLE;
  if (priming) return;
  if (opt.rate > 0)
    idle[idles++] = w;
  else
    ask(w, t);
}

static int is(const char *field, const char *name, size_t length) {
  return !strncasecmp(field, name, length);
}

/* Reads status and fields; the phase afterwards says how the body comes. */
static int read_head(struct wire *w) {
  w->head[w->fill] = 0;
  if (strncmp(w->head, "HTTP/1.1 ", 9)) return 0;
  w->status = atoi(w->head + 9);
  long length = -1;
  int chunked = 0;
  for (char *p = strstr(w->head, "\r\n"); p && p[2]; p = strstr(p, "\r\n")) {
    p += 2;
    switch (*p | 32) {
      case 'c':
        if (is(p, "content-length:", 15)) length = atol(p + 15);
        break;
      case 't':
        if (is(p, "transfer-encoding:", 18)) chunked = 1;
        break;
      case 'x':
        if (is(p, "x-origin:", 9)) w->origin = atoi(p + 9);
        break;
    }
  }
  if (chunked) {
    w->phase = CHUNK_SIZE;
    w->want = 0;
    w->digits = 1;
  } else if (length >= 0) {
    w->phase = BODY;
    w->want = length;
  } else {
    return 0; /* an answer until the end of the connection is none here */
  }
  return 1;
}

/* Takes bytes; 0 when they are no answer. */
static int take(struct wire *w, const char *p, ssize_t n) {
  const char *end = p + n;
  while (p < end || (w->phase == BODY && w->want == 0)) {
    switch (w->phase) {
      case IDLE:
        return 0;
      case HEAD: {
        int room = HEAD_MAX - w->fill, part = end - p < room ? (int)(end - p) : room;
        int from = w->fill > 3 ? w->fill - 3 : 0;
        memcpy(w->head + w->fill, p, part);
        char *stop = memmem(w->head + from, w->fill + part - from, "\r\n\r\n", 4);
        if (!stop) {
          w->fill += part;
          p += part;
          if (w->fill == HEAD_MAX) return 0;
          break;
        }
        int length = stop + 4 - w->head;
        p += length - w->fill;
        w->fill = length;
        if (!read_head(w)) return 0;
        break;
      }
      case BODY: {
        long part = end - p < w->want ? end - p : w->want;
        w->want -= part;
        w->total += part;
        p += part;
        if (w->want == 0) {
          finished(w);
          return p == end;
        }
        break;
      }
      case CHUNK_SIZE: {
        char c = *p++;
        if (c == '\n') {
          w->last = w->want == 0;
          w->phase = w->last ? CHUNK_END : CHUNK_DATA;
          w->fill = 0;
        } else if (c == ';' || c == '\r') {
          w->digits = 0;
        } else if (w->digits) {
          w->want = w->want * 16 + (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
        }
        break;
      }
      case CHUNK_DATA: {
        long part = end - p < w->want ? end - p : w->want;
        w->want -= part;
        w->total += part;
        p += part;
        if (w->want == 0) w->phase = CHUNK_END;
        w->fill = 0;
        break;
      }
      case CHUNK_END: /* CRLF after a chunk; after the last one, the end (no trailers here) */
        w->fill++;
        p++;
        if (w->fill == 2) {
          if (w->last) {
            finished(w);
            return p == end;
          }
          w->phase = CHUNK_SIZE;
          w->want = 0;
          w->digits = 1;
        }
        break;
    }
  }
  return 1;
}

static void readable(struct wire *w) {
  static char bytes[READ_MAX];
  do {
    ssize_t n = w->tls ? SSL_read(w->tls, bytes, sizeof bytes) : recv(w->fd, bytes, sizeof bytes, 0);
    if (n <= 0) {
      if (w->tls ? SSL_get_error(w->tls, n) == SSL_ERROR_WANT_READ : n < 0 && errno == EAGAIN) return;
    }
    if (n <= 0 || !take(w, bytes, n)) {
      int busy = w->phase != IDLE;
      if (busy) seen.broken++;
      redial(w);
      if (busy && !priming && opt.rate <= 0) ask(w, now());
      if (busy && opt.rate > 0) idle[idles++] = w;
      return;
    }
  } while (w->tls && SSL_pending(w->tls));
}

static void poll_once(int wait) {
  struct epoll_event events[512];
  int n = epoll_wait(poller, events, 512, wait);
  for (int i = 0; i < n; i++) {
    struct wire *w = wires[events[i].data.fd];
    if (w) readable(w);
  }
}

/*
 * One answer on each connection, one after the other. A connection is open for us before the proxy
 * has accepted it, and one that is busy with some may not accept the others for seconds: it would
 * be measured with fewer connections than its peers.
 */
static void prime(struct wire *all) {
  priming = 1;
  for (int i = 0; i < opt.conns; i++) {
    uint64_t start = now();
    ask(&all[i], start);
    while (all[i].phase != IDLE) {
      poll_once(50);
      if (now() - start > 10000000000ull) {
        fprintf(stderr, "connection %d of %d gets no answer\n", i + 1, opt.conns);
        exit(1);
      }
    }
  }
  idles = 0;
  priming = 0;
}

static void usage(void) {
  fprintf(stderr,
          "usage: load -t PORT [-c CONNS] [-w WARM_SECONDS] [-d SECONDS] [-r PER_SECOND] [-p PATH]\n"
          "            [-s BODY_BYTES] [-n HOSTS] [-b FIRST_ORIGIN_PORT] [-P PROXY_PID,...]\n"
          "            [-O ORIGIN_PID,...] [-T] [-l LABEL] | -H\n"
          "hosts are app000000.bench.test and up; host n belongs to origin port base + n %% 8\n");
  exit(2);
}

static void options(int argc, char **argv, const char **label) {
  int o;
  while ((o = getopt(argc, argv, "t:c:w:d:r:p:s:n:b:P:O:Tl:H")) > 0) switch (o) {
      case 't': opt.port = atoi(optarg); break;
      case 'c': opt.conns = atoi(optarg); break;
      case 'w': opt.warm = atoi(optarg); break;
      case 'd': opt.secs = atoi(optarg); break;
      case 'r': opt.rate = atof(optarg); break;
      case 'p': opt.path = optarg; break;
      case 's': opt.expect = atol(optarg); break;
      case 'n': opt.hosts = atoi(optarg); break;
      case 'b': opt.base = atoi(optarg); break;
      case 'P': opt.proxies = pids_of(optarg, opt.proxy); break;
      case 'O': opt.origins = pids_of(optarg, opt.origin); break;
      case 'T': opt.tls = 1; break;
      case 'l': *label = optarg; break;
      case 'H':
        puts("#label\tconns\trps\tp50us\tp99us\tp999us\tcpu_us\tuser_us\tsys_us\tproxy%\trss_MB\t"
             "done\tbad\tbroken\tmisrouted\twrong_length\torigin%\tload%\tlate_ms");
        exit(0);
      default: usage();
    }
  if (!opt.port || opt.conns < 1 || opt.conns > FDS - 100 || opt.hosts < 1) usage();
}

int main(int argc, char **argv) {
  const char *label = "-";
  options(argc, argv, &label);
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files = {FDS, FDS};
  setrlimit(RLIMIT_NOFILE, &files);
  target.sin_family = AF_INET;
  target.sin_port = htons(opt.port);
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (opt.tls) {
    tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL); /* a certificate of the contest's own */
    SSL_CTX_set_mode(tls, SSL_MODE_AUTO_RETRY);
  }
  /* About what a browser sends. */
  request_length = snprintf(
      request, sizeof request,
      "GET %s HTTP/1.1\r\nHost: app000000.bench.test\r\n"
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0\r\n"
      "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
      "Accept-Language: de,en-US;q=0.7,en;q=0.3\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
      "Cookie: session=c5c0a1de00112233445566778899aabb; lang=de\r\nCache-Control: no-cache\r\n\r\n",
      opt.path);
  host_at = strstr(request, "Host: app") - request + 9;
  poller = epoll_create1(0);
  struct wire *all = calloc(opt.conns, sizeof *all);
  idle = calloc(opt.conns + 1, sizeof *idle);
  if (!all || !idle) die("calloc");
  for (int i = 0; i < opt.conns; i++)
    if (!dial(&all[i])) die("connect");

  prime(all);
  uint64_t begin = now(), from = begin + opt.warm * 1000000000ull, until = 0;
  uint64_t step = opt.rate > 0 ? 1e9 / opt.rate : 0, due = begin;
  struct use proxy0 = {0}, origin0 = {0}, self0 = {0};
  pid_t self = getpid();
  for (int i = 0; i < opt.conns; i++) {
    if (opt.rate > 0)
      idle[idles++] = &all[i];
    else
      ask(&all[i], now());
  }
  for (;;) {
    uint64_t t = now();
    if (!until && t >= from) {
      proxy0 = use_of(opt.proxy, opt.proxies);
      origin0 = use_of(opt.origin, opt.origins);
      self0 = use_of(&self, 1);
      memset(&seen, 0, sizeof seen);
      memset(histogram, 0, sizeof histogram);
      from = now();
      until = from + opt.secs * 1000000000ull;
    }
    if (until && t >= until) break;
    int wait = 50;
    if (opt.rate > 0) {
      while (due <= t && idles) {
        if (t - due > seen.late_max) seen.late_max = t - due;
        ask(idle[--idles], due);
        due += step;
      }
      if (idles) wait = due > t + 2000000 ? (int)((due - t) / 1000000) : 0;
    } else {
      while (idles) ask(idle[--idles], t); /* those that were broken */
    }
    poll_once(wait);
  }
  double s = (now() - from) / 1e9, k = seen.done ? 1e6 / seen.done : 0;
  struct use p = use_of(opt.proxy, opt.proxies), o = use_of(opt.origin, opt.origins);
  struct use me = use_of(&self, 1);
  printf("%s\t%d\t%.0f\t%.0f\t%.0f\t%.0f\t%.2f\t%.2f\t%.2f\t%.0f\t%.1f\t%lu\t%lu\t%lu\t%lu\t%lu\t"
         "%.0f\t%.0f\t%.1f\n",
         label, opt.conns, seen.done / s, percentile_us(.5), percentile_us(.99), percentile_us(.999),
         (p.cpu - proxy0.cpu) * k, (p.user - proxy0.user) * k, (p.sys - proxy0.sys) * k,
         (p.cpu - proxy0.cpu) / s * 100, p.rss_kib / 1024.0, seen.done, seen.bad, seen.broken,
         seen.misrouted, seen.wrong_length, (o.cpu - origin0.cpu) / s * 100,
         (me.cpu - self0.cpu) / s * 100, seen.late_max / 1e6);
  return 0;
}
