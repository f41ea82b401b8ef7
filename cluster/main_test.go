package cluster_test

import (
	"flag"
	"os"
	"testing"
)

// The tests with SLURM wait most of the time: all at once they take as long as the longest.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "16")
	os.Exit(m.Run())
}
