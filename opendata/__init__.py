"""An open government data platform: public bodies list, review and open their data; everyone finds and uses it."""
