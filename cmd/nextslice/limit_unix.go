//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// timeLimit returns a channel that is closed when SIGUSR1 comes, which SLURM sends before a time limit.
func timeLimit() (limit <-chan struct{}, stop func()) {
	signals, near := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGUSR1)
	over := make(chan struct{})
	go func() {
		select {
		case <-signals:
			close(near)
		case <-over:
		}
	}()
	return near, func() { signal.Stop(signals); close(over) }
}
