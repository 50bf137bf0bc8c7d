/* The floor: what checks cost when nothing but the kernel is asked to work. One thread, one epoll set, ticks of 10 ms,
 * no judgement, no events, no configuration.
 *
 *     loop MODE INTERVAL_MS WARM_UP_S SECONDS CHECKS < targets
 *
 * A target is a line "NAMESPACE PORT", where NAMESPACE is the path of a network namespace, or "-" for our own; checks
 * go round the targets. Prints one line of JSON: what was done in SECONDS after WARM_UP_S, and the CPU it took.
 *
 * The thread lives in whatever namespace it made its last socket in: nobody needs it at home.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS 10000000ull
#define TIMEOUT_NS 5000000000ull
#define EVENTS 256
/* Answers are read after so many starts, so that they do not wait for the end of a large tick. */
#define BATCH 32

enum mode { HTTP, KEPT, TCP, HALF_OPEN, LISTEN };
static const char *const MODES[] = { "http", "kept-alive", "tcp", "half-open", "listen" };

struct place { char *path; int namespace, netlink; };
struct check { struct place *place; uint64_t started; int socket; uint16_t port; int next; };

static enum mode mode;
static int poller, home = -1;
static struct place *here;
static struct place places[4096];
static int place_count;
static struct check *checks;
static int check_count;
/* The checks of each tick of the interval: the first one, the others by `next`. Within a tick by namespace. */
static int *wheel;
static int tick_count;

static uint64_t done, failed, overrun, starts;
/* Start errors in steps of 0.1 ms; all above the last one are in the last one. */
static uint64_t lateness[100000];
static int counting;

static void die(const char *what) { perror(what); exit(1); }

static uint64_t now_ns(clockid_t clock)
{
	struct timespec time;
	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void enter(struct place *place)
{
	if (place == here)
		return;
	if (setns(place->namespace, CLONE_NEWNET))
		die("setns");
	here = place;
}

static void finish(struct check *check, int good)
{
	if (counting) {
		done++;
		failed += !good;
	}
	check->started = 0;
}

static void hang_up(struct check *check, int good)
{
	close(check->socket);
	check->socket = -1;
	finish(check, good);
}

static void watch(struct check *check, uint32_t what, int operation)
{
	struct epoll_event event = { .events = what, .data.u32 = check - checks };
	if (epoll_ctl(poller, operation, check->socket, &event))
		die("epoll_ctl");
}

static struct sockaddr_in address(const struct check *check)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = check->port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int try_connect(struct check *check)
{
	struct sockaddr_in to = address(check);
	return connect(check->socket, (struct sockaddr *)&to, sizeof to) ? errno : 0;
}

/* On one machine the handshake is over when this returns, though it says EINPROGRESS. */
static int begin_connect(struct check *check)
{
	static const struct linger reset = { .l_onoff = 1 };
	static const int off = 0;
	enter(check->place);
	check->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (check->socket < 0)
		die("socket");
	setsockopt(check->socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	/* The handshake's last acknowledgement is held back, and closing resets: the application never wakes. */
	if (mode == HALF_OPEN)
		setsockopt(check->socket, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
	return try_connect(check);
}

/* A whole connection ends with a FIN, which the application reads; the reset after it leaves no TIME_WAIT. */
static void end_connect(struct check *check)
{
	if (mode == TCP)
		shutdown(check->socket, SHUT_WR);
	hang_up(check, 1);
}

static void start_tcp(struct check *check)
{
	int error = begin_connect(check);
	if (error == EINPROGRESS)
		error = try_connect(check);
	if (!error || error == EISCONN)
		end_connect(check);
	else if (error == EALREADY || error == EINPROGRESS)
		watch(check, EPOLLOUT, EPOLL_CTL_ADD);
	else
		hang_up(check, 0);
}

static void advance_tcp(struct check *check)
{
	int error = try_connect(check);
	if (!error || error == EISCONN)
		end_connect(check);
	else if (error != EALREADY && error != EINPROGRESS)
		hang_up(check, 0);
}

static ssize_t request(struct check *check)
{
	static const char fresh[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: loop\r\nAccept: */*\r\nConnection: close\r\n\r\n";
	static const char kept[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: loop\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n";
	return mode == KEPT ? send(check->socket, kept, sizeof kept - 1, MSG_NOSIGNAL)
			    : send(check->socket, fresh, sizeof fresh - 1, MSG_NOSIGNAL);
}

static void start_http(struct check *check)
{
	int error = check->socket < 0 ? begin_connect(check) : -1;
	if (error > 0 && error != EINPROGRESS)
		hang_up(check, 0);
	else if (request(check) > 0) {
		if (error >= 0)
			watch(check, EPOLLIN, EPOLL_CTL_ADD);
	} else if (errno == EAGAIN)
		watch(check, EPOLLOUT, error >= 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD);
	else
		hang_up(check, 0);
}

static void advance_http(struct check *check, uint32_t ready)
{
	char answer[4096];
	if (ready & EPOLLOUT && !(ready & (EPOLLIN | EPOLLERR | EPOLLHUP)) && request(check) > 0)
		return watch(check, EPOLLIN, EPOLL_CTL_MOD);
	ssize_t length = recv(check->socket, answer, sizeof answer, 0);
	if (length < 0 && errno == EAGAIN)
		return;
	/* "HTTP/1.1 200": the answers here are short enough to come in one piece. */
	int good = length > 12 && !memcmp(answer, "HTTP/1.", 7) && (answer[9] == '2' || answer[9] == '3');
	if (mode == KEPT && good)
		finish(check, good);
	else
		hang_up(check, good);
}

static void start_listen(struct check *check)
{
	struct { struct nlmsghdr header; struct inet_diag_req_v2 body; } query = {
		.header = { .nlmsg_len = sizeof query, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = -1,
			  .id = { .idiag_sport = check->port, .idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } } },
	};
	struct { struct nlmsghdr header; struct inet_diag_msg body; char rest[1024]; } answer;
	query.body.id.idiag_src[0] = htonl(INADDR_LOOPBACK);
	int netlink = check->place->netlink;
	/* The kernel answers before `send` returns. */
	int good = send(netlink, &query, sizeof query, 0) > 0 && recv(netlink, &answer, sizeof answer, 0) > 0 &&
		   answer.header.nlmsg_type == SOCK_DIAG_BY_FAMILY && answer.body.idiag_state == 10 /* TCP_LISTEN */;
	finish(check, good);
}

static void start(struct check *check, uint64_t due)
{
	if (check->started) {
		if (counting)
			overrun++;
		return;
	}
	check->started = now_ns(CLOCK_MONOTONIC);
	if (counting) {
		uint64_t step = (check->started - due) / 100000;
		uint64_t last = sizeof lateness / sizeof *lateness - 1;
		lateness[step < last ? step : last]++;
		starts++;
	}
	if (mode == LISTEN)
		start_listen(check);
	else if (mode == TCP || mode == HALF_OPEN)
		start_tcp(check);
	else
		start_http(check);
}

static void look(uint64_t wait_ns)
{
	struct epoll_event events[EVENTS];
	struct timespec wait = { wait_ns / 1000000000, wait_ns % 1000000000 };
	int count = epoll_pwait2(poller, events, EVENTS, &wait, NULL);
	for (int i = 0; i < count; i++) {
		struct check *check = &checks[events[i].data.u32];
		if (mode == TCP || mode == HALF_OPEN)
			advance_tcp(check);
		else
			advance_http(check, events[i].events);
	}
}

/* Once a second is often enough to see who has had no answer for five. */
static void expire(void)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);
	for (struct check *check = checks; check < checks + check_count; check++)
		if (check->started && now - check->started > TIMEOUT_NS)
			hang_up(check, 0);
}

static void run_until(uint64_t begin, uint64_t *tick, uint64_t end)
{
	uint64_t now;
	while ((now = now_ns(CLOCK_MONOTONIC)) < end) {
		uint64_t due = begin + *tick * TICK_NS;
		if (now < due) {
			look(due - now);
			continue;
		}
		int batch = 0;
		for (int i = wheel[*tick % tick_count]; i >= 0; i = checks[i].next) {
			start(&checks[i], due);
			if (++batch % BATCH == 0 && mode != LISTEN)
				look(0);
		}
		if (*tick % 100 == 0)
			expire();
		++*tick;
	}
}

static struct place *place_at(const char *path)
{
	for (int i = place_count - 1; i >= 0; i--)
		if (!strcmp(places[i].path, path))
			return &places[i];
	if (place_count == sizeof places / sizeof *places)
		exit(1);
	struct place *place = &places[place_count++];
	place->path = strdup(path);
	place->namespace = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : home;
	if (place->namespace < 0)
		die(path);
	if (mode == LISTEN) {
		if (strcmp(path, "-"))
			enter(place);
		place->netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	}
	return place;
}

static void read_targets(void)
{
	struct target { struct place *place; uint16_t port; } *targets = NULL;
	int count = 0;
	unsigned port;
	char path[256];
	while (scanf("%255s %u", path, &port) == 2) {
		if (count % 1024 == 0)
			targets = realloc(targets, (count + 1024) * sizeof *targets);
		targets[count++] = (struct target){ place_at(path), htons(port) };
	}
	if (!count)
		exit(1);
	checks = calloc(check_count, sizeof *checks);
	for (int i = 0; i < check_count; i++)
		checks[i] = (struct check){ .place = targets[i % count].place, .port = targets[i % count].port, .socket = -1 };
	free(targets);
	if (!strcmp(checks[0].place->path, "-"))
		here = checks[0].place;
}

/* Evenly, and in an order that has nothing to do with the namespaces. */
static void spread(uint64_t interval_ms)
{
	tick_count = interval_ms * 1000000 / TICK_NS;
	wheel = malloc(tick_count * sizeof *wheel);
	for (int i = 0; i < tick_count; i++)
		wheel[i] = -1;
	for (int i = check_count - 1; i >= 0; i--) {
		int *slot = &wheel[(i * 0x9e3779b97f4a7c15ull >> 32) % tick_count];
		checks[i].next = *slot;
		*slot = i;
	}
}

static double late_ms(double part)
{
	uint64_t seen = 0, step = 0;
	while (step < sizeof lateness / sizeof *lateness - 1 && (seen += lateness[step]) < starts * part)
		step++;
	return step / 10.0;
}

static void raise_limit(void)
{
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

int main(int count, char **arguments)
{
	if (count != 6)
		return 2;
	while (strcmp(arguments[1], MODES[mode]))
		if (++mode > LISTEN)
			return 2;
	uint64_t interval_ms = atoi(arguments[2]), warm_up = atof(arguments[3]) * 1e9, length = atof(arguments[4]) * 1e9;
	check_count = atoi(arguments[5]);
	raise_limit();
	poller = epoll_create1(EPOLL_CLOEXEC);
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	read_targets();
	spread(interval_ms);

	uint64_t tick = 0, begin = now_ns(CLOCK_MONOTONIC);
	run_until(begin, &tick, begin + warm_up);
	counting = 1;
	uint64_t from = now_ns(CLOCK_MONOTONIC), cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	run_until(begin, &tick, begin + warm_up + length);
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	double seconds = (now_ns(CLOCK_MONOTONIC) - from) / 1e9;
	printf("{\"checks\":%lu,\"failures\":%lu,\"overrun\":%lu,\"seconds\":%.3f,\"cpu_us\":%.1f,"
	       "\"late_ms\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}}\n",
	       done, failed, overrun, seconds, cpu / 1e3, late_ms(0.5), late_ms(0.99), late_ms(1));
	return 0;
}
