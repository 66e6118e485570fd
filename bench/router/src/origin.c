/*
 * The origin of the contest: one thread, epoll, HTTP/1.1 keep-alive, eight ports in a row.
 *
 *   origin FIRST_PORT [PORTS]
 *
 * GET /bytes/N answers N bytes, GET /chunked/N the same in chunks of 1,000; both at most 1 MiB.
 * Every answer says in X-Origin at which port it was given, so that a wrong route is seen.
 * Answers are made once and sent whole. Request bodies with a Content-Length are read and dropped.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FDS = 20000, PORTS_MAX = 8, KINDS_MAX = 32, HEAD_MAX = 16384, BODY_MAX = 1 << 20, CHUNK = 1000 };

struct answer {
  long size;
  int chunked;
  char *bytes;
  size_t length;
};

struct peer {
  int slot;     /* which port, from 0 */
  int accepts;  /* a listening socket */
  size_t fill;  /* bytes of the head so far */
  size_t skip;  /* bytes of a request body still to drop */
  const char *out;
  size_t left; /* bytes of the answer still to send */
  char head[HEAD_MAX + 1];
};

static struct peer *peers[FDS];
static struct answer answers[PORTS_MAX][KINDS_MAX];
static int first_port;
static int poller;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void want(int fd, uint32_t events, int op) {
  struct epoll_event e = {.events = events, .data.fd = fd};
  if (epoll_ctl(poller, op, fd, &e)) die("epoll_ctl");
}

static void drop(int fd) {
  close(fd);
  free(peers[fd]);
  peers[fd] = NULL;
}

static void fill_body(char *to, size_t size) {
  static const char text[] = "holdfast bench body, forty-one bytes each.\n";
  for (size_t i = 0; i < size; i++) to[i] = text[i % (sizeof text - 1)];
}

static struct answer *answer_for(int slot, long size, int chunked) {
  struct answer *a = answers[slot];
  int i = 0;
  while (i < KINDS_MAX - 1 && a[i].bytes && (a[i].size != size || a[i].chunked != chunked)) i++;
  a += i;
  if (a->bytes) return a;
  a->size = size;
  a->chunked = chunked;
  a->bytes = malloc(1024 + size + (size / CHUNK + 1) * 16);
  if (!a->bytes) die("malloc");
  char *p = a->bytes;
  p += sprintf(p,
               "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
               "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
               "X-Origin: %d\r\n",
               first_port + slot);
  if (!chunked) {
    p += sprintf(p, "Content-Length: %ld\r\n\r\n", size);
    fill_body(p, size);
    p += size;
  } else {
    p += sprintf(p, "Transfer-Encoding: chunked\r\n\r\n");
    for (long left = size; left > 0;) {
      long n = left < CHUNK ? left : CHUNK;
      p += sprintf(p, "%lx\r\n", n);
      fill_body(p, n);
      p += n;
      p += sprintf(p, "\r\n");
      left -= n;
    }
    p += sprintf(p, "0\r\n\r\n");
  }
  a->length = p - a->bytes;
  return a;
}

static struct answer *decide(struct peer *p) {
  const char *path = strchr(p->head, ' ');
  long size = 1024;
  int chunked = 0;
  if (path && !strncmp(path, " /bytes/", 8)) size = atol(path + 8);
  if (path && !strncmp(path, " /chunked/", 10)) {
    size = atol(path + 10);
    chunked = 1;
  }
  if (size < 0 || size > BODY_MAX) size = 1024;
  return answer_for(p->slot, size, chunked);
}

/* Sends what can be sent; 0 when the connection is gone. */
static int flush(int fd, struct peer *p) {
  ssize_t n = send(fd, p->out, p->left, MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN) {
    drop(fd);
    return 0;
  }
  if (n > 0) {
    p->out += n;
    p->left -= n;
  }
  return 1;
}

static void take(int listener, struct peer *l) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    if (fd >= FDS) {
      close(fd);
      continue;
    }
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct peer *p = calloc(1, sizeof *p);
    if (!p) die("calloc");
    p->slot = l->slot;
    peers[fd] = p;
    want(fd, EPOLLIN, EPOLL_CTL_ADD);
  }
}

/* Answers every whole request that is in the buffer, one at a time while the peer takes it. */
static void serve(int fd, struct peer *p) {
  while (p->fill) {
    if (p->skip) {
      size_t n = p->skip < p->fill ? p->skip : p->fill;
      p->skip -= n;
      p->fill -= n;
      memmove(p->head, p->head + n, p->fill);
      continue;
    }
    p->head[p->fill] = 0;
    char *end = strstr(p->head, "\r\n\r\n");
    if (!end) {
      if (p->fill == HEAD_MAX) drop(fd);
      return;
    }
    size_t length = end + 4 - p->head;
    end[2] = 0;
    struct answer *a = decide(p);
    if (p->head[0] != 'G') {
      char *field = strcasestr(p->head, "\r\ncontent-length:");
      if (field) p->skip = strtoul(field + 17, NULL, 10);
    }
    p->fill -= length;
    memmove(p->head, p->head + length, p->fill);
    p->out = a->bytes;
    p->left = a->length;
    if (!flush(fd, p)) return;
    if (p->left) {
      want(fd, EPOLLOUT, EPOLL_CTL_MOD);
      return;
    }
  }
}

static void ready(int fd, uint32_t events) {
  struct peer *p = peers[fd];
  if (!p) return;
  if (p->accepts) {
    take(fd, p);
    return;
  }
  if (p->left) {
    if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) || !flush(fd, p) || p->left) return;
    want(fd, EPOLLIN, EPOLL_CTL_MOD);
    serve(fd, p);
    return;
  }
  ssize_t n = recv(fd, p->head + p->fill, HEAD_MAX - p->fill, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    drop(fd);
    return;
  }
  p->fill += n;
  serve(fd, p);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: origin FIRST_PORT [PORTS]\n");
    return 2;
  }
  first_port = atoi(argv[1]);
  int ports = argc > 2 ? atoi(argv[2]) : PORTS_MAX;
  if (ports < 1 || ports > PORTS_MAX) ports = PORTS_MAX;
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files = {FDS, FDS};
  setrlimit(RLIMIT_NOFILE, &files);
  poller = epoll_create1(0);
  for (int i = 0; i < ports; i++) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(first_port + i)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 4096)) die("listen");
    struct peer *p = calloc(1, sizeof *p);
    if (!p) die("calloc");
    p->slot = i;
    p->accepts = 1;
    peers[fd] = p;
    want(fd, EPOLLIN, EPOLL_CTL_ADD);
  }
  for (;;) {
    struct epoll_event events[256];
    int n = epoll_wait(poller, events, 256, -1);
    for (int i = 0; i < n; i++) ready(events[i].data.fd, events[i].events);
  }
}
