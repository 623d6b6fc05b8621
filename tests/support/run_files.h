/* run_files.h - what training runs left, compared. */
#ifndef TEST_RUN_FILES_H
#define TEST_RUN_FILES_H

/* Fails unless two run folders hold the same, bit for bit: metrics.csv without the seconds, model.safetensors, config.ini
 * below its first line, which names the folder, and summary.json without what tells of time, memory, threads and folder. */
void run_files_same(const char *a, const char *b);

/* A metrics.csv without its column of seconds, freed with free(). */
char *run_files_metrics(const char *path);

#endif
