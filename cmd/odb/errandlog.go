package main

import (
	"fmt"
	"io"
	"log"

	"github.com/google/uuid"

	"github.com/on-demand-broker/odb/config"
)

// newErrandLog is the log of a command under its old name, in lines such as operators search for:
// [orphan-deployments] [4f2c…] 2026/11/23 16:20:11.000000 text. The time is UTC.
func newErrandLog(w io.Writer, command string) *log.Logger {
	return log.New(w, fmt.Sprintf("[%s] [%s] ", command, uuid.NewString()), log.LstdFlags|log.Lmicroseconds|log.LUTC)
}

// failing logs why a command under its old name fails, which is its way to say it.
func failing(logger *log.Logger, err error) error {
	logger.Println(err)
	return exitCode(exitFailed)
}

// loadOldFile reads the file of a command under its old name. What such a file could always say without harm is logged.
func loadOldFile(path, flag string, logger *log.Logger, needs ...config.Need) (*config.Companion, error) {
	if path == "" {
		return nil, failing(logger, fmt.Errorf("the path of the command's file is missing: give it with -%s", flag))
	}
	c, odd, err := config.LoadCompanion(path, config.CompanionRules{Needs: needs})
	for _, p := range odd {
		logger.Printf("%s: %s", p.Severity, p)
	}
	if err != nil {
		return nil, failing(logger, fmt.Errorf("error parsing config: %w", err))
	}
	return c, nil
}
