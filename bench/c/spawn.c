/* What a process per check costs, without anything around it.
 *
 *     spawn fork|vfork RESIDENT_MB PER_SECOND WARM_UP_S SECONDS NET,MNT,PID PROGRAM ARGUMENT... < targets
 *
 * A target is a line "NAMESPACE PORT"; checks go round them. "{port}" in an argument is the target's port. The child
 * enters the target's network namespace and, of those listed, the namespaces of mounts and processes ("-" is none).
 * PER_SECOND checks are started in ticks of 10 ms (0: one after the other, without a pause). We keep RESIDENT_MB in
 * memory: `fork` copies the page table, a clone that shares it, as `vfork`, does not. Prints one line of JSON, CPU with
 * all children.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS 10000000ull
#define TARGETS 16384
#define PLACES 4096
#define IN_TICK 64

static struct { char path[256]; int namespace; } places[PLACES];
static struct { int place; char port[8]; } targets[TARGETS];
static int place_count, target_count;
static int mounts = -1, processes = -1, output;
static char **template;
static char *words[64];

static void die(const char *what) { perror(what); exit(1); }

static uint64_t now_ns(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static double spent_us(void)
{
	double sum = 0;
	int who[] = { RUSAGE_SELF, RUSAGE_CHILDREN };
	for (int i = 0; i < 2; i++) {
		struct rusage usage;
		getrusage(who[i], &usage);
		sum += (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
	}
	return sum;
}

/* In the child, which may share our memory: nothing but system calls. */
static int child(void *namespace)
{
	if ((*(int *)namespace >= 0 && setns(*(int *)namespace, CLONE_NEWNET)) || (mounts >= 0 && setns(mounts, CLONE_NEWNS)))
		_exit(126);
	dup2(output, 1);
	dup2(output, 2);
	execv(words[0], words);
	_exit(127);
}

static void fill_in(const char *port)
{
	int i = 0;
	for (; template[i] && i < 63; i++) {
		char *hole = strstr(template[i], "{port}");
		if (!hole) {
			words[i] = template[i];
			continue;
		}
		static char filled[64][512];
		snprintf(filled[i], sizeof filled[i], "%.*s%s%s", (int)(hole - template[i]), template[i], port, hole + 6);
		words[i] = filled[i];
	}
	words[i] = NULL;
}

static pid_t spawn(int share, int target)
{
	static char stack[65536] __attribute__((aligned(16)));
	fill_in(targets[target].port);
	int *namespace = &places[targets[target].place].namespace;
	if (share)
		return clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, namespace);
	pid_t pid = fork();
	if (!pid)
		child(namespace);
	return pid;
}

static void read_targets(void)
{
	char path[256], port[8];
	while (target_count < TARGETS && scanf("%255s %7s", path, port) == 2) {
		int place = place_count - 1;
		while (place >= 0 && strcmp(places[place].path, path))
			place--;
		if (place < 0) {
			if ((place = place_count++) == PLACES)
				exit(1);
			strcpy(places[place].path, path);
			places[place].namespace = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : -1;
			if (strcmp(path, "-") && places[place].namespace < 0)
				die(path);
		}
		targets[target_count].place = place;
		strcpy(targets[target_count++].port, port);
	}
	if (!target_count)
		exit(1);
}

static int open_other(char **list)
{
	char *path = strsep(list, ",");
	if (!path || !strcmp(path, "-"))
		return -1;
	int opened = open(path, O_RDONLY | O_CLOEXEC);
	if (opened < 0)
		die(path);
	return opened;
}

int main(int count, char **arguments)
{
	if (count < 8)
		return 2;
	int share = !strcmp(arguments[1], "vfork");
	size_t resident = atol(arguments[2]) << 20;
	double per_second = atof(arguments[3]);
	uint64_t warm_up = atof(arguments[4]) * 1e9, length = atof(arguments[5]) * 1e9;
	char *others = arguments[6];
	template = arguments + 7;
	read_targets();
	mounts = open_other(&others);
	processes = open_other(&others);
	output = open("/dev/null", O_RDWR | O_CLOEXEC);
	void *memory = mmap(NULL, resident ? resident : 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	/* Children are born among those processes; we stay where we are. */
	if (processes >= 0 && setns(processes, CLONE_NEWPID))
		die("setns");

	uint64_t begin = now_ns(), from = 0, now, tick = 0, started = 0, checks = 0, failures = 0;
	double cpu = 0;
	while ((now = now_ns()) < begin + warm_up + length) {
		if (!from && now >= begin + warm_up) {
			from = now;
			cpu = spent_us();
			checks = failures = 0;
		}
		uint64_t due = begin + tick * TICK_NS;
		if (per_second && now < due) {
			struct timespec pause = { 0, due - now };
			nanosleep(&pause, NULL);
			continue;
		}
		tick++;
		int running = 0;
		uint64_t target = per_second ? tick * TICK_NS / 1e9 * per_second : started + 1;
		for (; started < target && running < IN_TICK; started++, running++)
			if (spawn(share, started % target_count) < 0)
				die("spawn");
		for (; running; running--) {
			int status;
			if (wait(&status) < 0)
				die("wait");
			checks++;
			failures += !!status;
		}
	}
	cpu = spent_us() - cpu;
	printf("{\"checks\":%lu,\"failures\":%lu,\"seconds\":%.3f,\"cpu_us\":%.1f}\n", checks, failures, (now - from) / 1e9, cpu);
	return 0;
}
