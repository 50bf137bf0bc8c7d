/* A container of one program, without anybody's image: does nothing, and with an argument does so until it is killed. */
#include <unistd.h>

int main(int count, char **arguments)
{
	(void)arguments;
	return count > 1 ? pause() : 0;
}
