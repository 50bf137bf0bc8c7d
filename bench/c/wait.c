/* The first process of a container without anybody's image: waits until it is killed. */
#include <unistd.h>

int main(void)
{
	return pause();
}
